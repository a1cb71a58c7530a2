#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace orrery::api::cel {

struct Token {
  enum class Kind : uint8_t { kEnd, kName, kInt, kUint, kDouble, kString, kOperator };
  Kind kind = Kind::kEnd;
  std::string text;  // of strings: with escapes resolved
  size_t offset = 0;
};

/// All tokens, kEnd last. BadRequest: a character that begins none, a string without end.
Result<std::vector<Token>> tokenize(std::string_view source);

}  // namespace orrery::api::cel
