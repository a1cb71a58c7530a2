#pragma once

#include <string_view>

#include "engine/api/cel/value.h"

namespace orrery::api::cel {

/// Unary and binary operators but for && and ||. Errors as evaluate().
Result<Value> apply_unary(std::string_view op, const Value& value);
Result<Value> apply_binary(std::string_view op, const Value& a, const Value& b);

/// a[key]; errors "no such key: ...", "index out of bounds: ...".
Result<Value> value_at(const Value& container, const Value& key);

}  // namespace orrery::api::cel
