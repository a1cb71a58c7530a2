#pragma once

#include <string_view>
#include <vector>

#include "engine/api/cel/value.h"

namespace orrery::api::cel {

/// A function, or a method with its object as the first argument. Errors as evaluate().
Result<Value> call_function(std::string_view name, const std::vector<Value>& args);
Result<Value> call_method(std::string_view name, const std::vector<Value>& args);

/// "no such overload".
Status no_overload(std::string_view name);

/// Methods by what they are called on; nullopt-like: a Result with "no such overload".
Result<Value> string_method(std::string_view name, const std::vector<Value>& args);
Result<Value> list_method(std::string_view name, const std::vector<Value>& args);
Result<Value> quantity_method(std::string_view name, const std::vector<Value>& args);
Result<Value> time_method(std::string_view name, const std::vector<Value>& args);

}  // namespace orrery::api::cel
