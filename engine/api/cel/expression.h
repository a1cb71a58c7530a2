#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"

namespace orrery::api::cel {

/// A parsed expression of the Common Expression Language (github.com/google/cel-spec, langdef.md), with
/// the macros has, all, exists, exists_one, map, filter, optMap and optFlatMap, and optional syntax.
struct Expression {
  enum class Kind : uint8_t {
    kLiteral,   // value
    kName,      // text
    kSelect,    // args[0].text
    kHas,       // has(args[0].text)
    kIndex,     // args[0][args[1]]
    kCall,      // text(args...)
    kMethod,    // args[0].text(args[1...])
    kUnary,     // text args[0]
    kBinary,    // args[0] text args[1]
    kTernary,   // args[0] ? args[1] : args[2]
    kList,      // [args...]
    kMap,       // {args[0]: args[1], ...}
    kMacro,     // args[0].text(variable, args[1...])
  };
  Kind kind = Kind::kLiteral;
  std::string text;
  std::string variable;
  Json value;
  bool is_unsigned = false;  // a literal such as 3u
  bool is_bytes = false;     // a literal such as b'x'
  bool is_optional = false;  // a.?b, a[?b]
  std::vector<bool> optional_args;  // of lists and maps: which may be left out; empty: none
  int height = 1;            // of the tree; bounded, so that whoever walks it may recurse
  size_t offset = 0;         // in the source: of the operator or the opening bracket
  std::vector<std::unique_ptr<Expression>> args;
};

/// The expression, or a part of it, is the name.
bool uses(const Expression& expression, std::string_view name);

/// The function that an operator stands for: "_+_", "@in".
std::string operator_function(std::string_view op, bool unary);

/// BadRequest: no expression; the message has place and source line as upstream's compiler has.
Result<std::unique_ptr<Expression>> parse(std::string_view source);

/// "ERROR: <input>:1:5: why", the line, and a mark below the place.
std::string message_at(std::string_view source, size_t offset, std::string_view why);

}  // namespace orrery::api::cel
