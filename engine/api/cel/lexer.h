#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orrery::api::cel {

struct Token {
  enum class Kind : uint8_t { kEnd, kName, kInt, kUint, kDouble, kString, kBytes, kOperator };
  Kind kind = Kind::kEnd;
  std::string text;  // of strings: with escapes resolved
  size_t offset = 0;
  size_t size = 0;   // in the source
};

/// Something in a source that is wrong.
struct SourceError {
  size_t offset;
  std::string why;
};

/// All tokens, kEnd last. What begins no token is left out and told of in `errors`, as ANTLR does.
std::vector<Token> tokenize(std::string_view source, std::vector<SourceError>& errors);

}  // namespace orrery::api::cel
