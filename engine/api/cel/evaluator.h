#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/cel/expression.h"
#include "engine/api/cel/value.h"

namespace orrery::api::cel {

/// The names that an expression may use; one may have dots ("authorizer.requestResource").
struct Variable {
  std::string_view name;
  Value value;
};

/// What evaluation may cost, in steps of about one operation or ten bytes of text looked at; counts
/// down over all expressions that share it.
struct Budget {
  int64_t left = 10'000'000;
  bool spend(int64_t cost) { return (left -= cost) >= 0; }
};

/// What one expression may cost. Source: Kubernetes v1.32 apiserver/pkg/apis/cel PerCallLimit.
inline constexpr int64_t kCostMaxPerCall = 1'000'000;

/// The value of an expression. Types are found out while evaluating. Errors (BadRequest) are worded as
/// upstream's ("no such key: replicas"); a spent budget is TooManyRequests.
/// Source of the functions: cel-spec and Kubernetes v1.32 apiserver/pkg/cel/library.
Result<Value> evaluate(const Expression& expression, const std::vector<Variable>& variables, Budget& budget);

}  // namespace orrery::api::cel
