#pragma once

#include <string_view>
#include <vector>

#include "engine/api/cel/type.h"
#include "engine/api/cel/value.h"

namespace orrery::api::cel {

/// A function, or a method with its object as the first argument. Errors as evaluate().
Result<Value> call_function(std::string_view name, const std::vector<Value>& args);
Result<Value> call_method(std::string_view name, const std::vector<Value>& args);

/// True for the first part of functions with dots: "sets", "optional".
bool is_namespace(std::string_view name);

/// Whether a function takes the text: a regular expression, a duration, a timestamp. True of all else.
bool is_right_text(std::string_view function, std::string_view text);

/// "no such overload".
Status no_overload(std::string_view name);

/// Methods by what they are called on.
Result<Value> string_method(std::string_view name, const std::vector<Value>& args);
Result<Value> list_method(std::string_view name, const std::vector<Value>& args);
Result<Value> time_method(std::string_view name, const std::vector<Value>& args);
/// What text.format(args) makes of a pattern.
Result<Value> formatted(std::string_view pattern, const Value& args);

/// Why a pattern does not fit arguments of these types, and which of them; "": it fits.
struct FormatMismatch {
  std::string why;
  std::optional<size_t> arg;
};
FormatMismatch format_mismatch(std::string_view pattern, const std::vector<Type>& args);

/// Values of libraries from their texts, and whether a text is one: quantity, ip, cidr, url.
Result<Value> quantity_value(const Value& text);
Result<Value> ip_value(const Value& text);
Result<Value> cidr_value(const Value& text);
Result<Value> url_value(const Value& text);
/// ip.isCanonical(text).
Result<Value> ip_is_canonical(const Value& text);
/// format.NAME(); nullopt: there is no such format.
std::optional<Value> named_format(std::string_view name);

}  // namespace orrery::api::cel
