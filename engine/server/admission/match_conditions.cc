#include "engine/server/admission/match_conditions.h"

#include "engine/api/names.h"

namespace orrery::server {

Match match_conditions(const List<admissionregistrationv1::MatchCondition>& conditions, const ExpressionInput& input, bool ignores_failure) {
  // A quarter of what validations may cost.
  api::cel::Budget budget{api::cel::Budget().left / 4};
  std::vector<std::string> errors;
  for (const auto& condition : conditions) {
    const auto value = value_of_expression(condition.expression, input, budget);
    if (!value.is_ok()) errors.push_back(value.status().message());
    else if (value->is_bool() && !value->is_true()) return {false, ""};
  }
  if (errors.empty()) return {};
  if (ignores_failure) return {false, ""};
  return {false, api::aggregate(errors)};
}

}  // namespace orrery::server
