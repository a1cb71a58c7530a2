#include "engine/server/admission/policy_evaluation.h"

#include <map>

#include "engine/server/admission/match_conditions.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

using namespace admissionregistrationv1;
using api::cel::Budget;
using api::cel::Value;

constexpr size_t kMessageBytesMax = 5 * 1024;
constexpr size_t kAnnotationBytesMax = 10 * 1024;

/// `variables`: each is evaluated when it is first used, and may use others.
class PolicyVariables final : public api::cel::Opaque {
 public:
  PolicyVariables(const List<Variable>& variables, const ExpressionInput& input, Budget& budget)
      : variables_(variables), input_(input), budget_(budget) {}
  std::string_view type_name() const override { return "kubernetes.variables"; }
  Result<Value> call(std::string_view, const std::vector<Value>&) const override { return bad_request("no such overload"); }

  Result<Value> member(std::string_view name) const override {
    if (const auto known = values_.find(name); known != values_.end()) return known->second;
    for (const Variable& variable : variables_) {
      if (variable.name != name) continue;
      Result<Value> value = evaluate(variable.expression);
      if (!value.is_ok() && value.status().code() != Code::kTooManyRequests)
        value = bad_request(str_cat("composited variable \"", name, "\" fails to evaluate: ", value.status().message()));
      values_.emplace(std::string(name), value);
      return value;
    }
    return bad_request(str_cat("no such key: ", name));
  }

 private:
  Result<Value> evaluate(const Str& source) const {
    const auto program = input_.parsed(source);
    const auto& parsed = *program;
    if (!parsed.is_ok()) return parsed.status();
    std::vector<api::cel::Variable> names = input_.variables;
    names.push_back({"variables", Value::of_opaque({std::shared_ptr<const Opaque>(), this})});
    return api::cel::evaluate(**parsed, names, budget_);
  }

  const List<Variable>& variables_;
  const ExpressionInput& input_;
  Budget& budget_;
  mutable std::map<std::string, Result<Value>, std::less<>> values_;
};

// What to tell of a validation that does not hold.
std::string message_of(const Validation& validation, const ExpressionInput& input, Budget& budget) {
  if (!validation.message_expression.empty()) {
    const auto made = value_of_expression(validation.message_expression, input, budget);
    if (made.is_ok() && made->is_string()) {
      const std::string_view text = trim_space(made->string());
      if (!text.empty() && text.size() <= kMessageBytesMax && text.find('\n') == text.npos) return std::string(text);
    }
  }
  if (!trim_space(validation.message).empty()) return std::string(trim_space(validation.message));
  return str_cat("failed expression: ", trim_space(validation.expression));
}

// An annotation that cannot be made counts as a failure.
std::vector<PolicyFailure> make_annotations(const ValidatingAdmissionPolicySpec& policy, const ExpressionInput& input, Budget& budget,
                                            PolicyOutcome& outcome) {
  std::vector<PolicyFailure> failures;
  for (const AuditAnnotation& annotation : policy.audit_annotations) {
    const auto value = value_of_expression(annotation.value_expression, input, budget);
    std::string why;
    if (!value.is_ok()) why = value.status().message();
    else if (!value->is_string() && !value->is_null())
      why = str_cat("valueExpression '", annotation.value_expression, "' resulted in unsupported return type: ", value->type_name(),
                    ". Return type must be either string or null.");
    if (!why.empty()) {
      failures.push_back({why, "", true, 0});
    } else if (value->is_string() && !trim_space(value->string()).empty()) {
      outcome.annotations.emplace_back(annotation.key, trim_space(value->string()).substr(0, kAnnotationBytesMax));
    }
  }
  return failures;
}

}  // namespace

PolicyOutcome evaluate_policy(const ValidatingAdmissionPolicySpec& policy, ExpressionInput input) {
  const bool ignores_failure = policy.failure_policy.value_or(Str()) == "Ignore";
  PolicyOutcome outcome;
  std::vector<PolicyFailure>& failures = outcome.failures;
  ExpressionInput for_conditions = input;
  for_conditions.set_namespace({});
  const Match match = match_conditions(policy.match_conditions, for_conditions, ignores_failure);
  if (!match.error.empty()) failures.push_back({match.error, "", false, 0});
  if (!match.matches) return outcome;

  Budget budget;
  const auto variables = std::make_shared<PolicyVariables>(policy.variables, input, budget);
  ExpressionInput all = input;
  all.variables.push_back({"variables", Value::of_opaque(variables)});
  ExpressionInput for_messages = all;
  for_messages.drop_authorizer();
  for (size_t i = 0; i < policy.validations.size(); ++i) {
    const Validation& validation = policy.validations[i];
    const auto holds = value_of_expression(validation.expression, all, budget);
    if (!holds.is_ok()) {
      if (!ignores_failure) failures.push_back({holds.status().message(), "", false, i});
      if (holds.status().code() == Code::kTooManyRequests) break;
    } else if (!holds->is_true()) {
      failures.push_back({message_of(validation, for_messages, budget), validation.reason.value_or(Str("Invalid")), false, i});
    }
  }
  const std::vector<PolicyFailure> of_annotations = make_annotations(policy, all, budget, outcome);
  if (!ignores_failure) failures.insert(failures.end(), of_annotations.begin(), of_annotations.end());
  return outcome;
}

}  // namespace orrery::server
