#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/cel/expression.h"
#include "engine/api/cel/value.h"

namespace orrery::api::cel {

/// The names that an expression may use.
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

/// The value of an expression. Types are found out while evaluating. Errors (BadRequest) are worded as
/// upstream's ("no such key: replicas"); a spent budget is TooManyRequests.
/// Source of the functions: cel-spec and Kubernetes v1.32 apiserver/pkg/cel/library.
Result<Value> evaluate(const Expression& expression, const std::vector<Variable>& variables, Budget& budget);

/// The name of a JSON member that an identifier stands for: "__dash__" is "-".
std::string unescaped_name(std::string_view identifier);

}  // namespace orrery::api::cel
