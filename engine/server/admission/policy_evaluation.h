#pragma once

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/admission/expression_values.h"

namespace orrery::server {

/// What one validation of a policy has against a request.
struct PolicyFailure {
  std::string message;
  Str reason;  // "": Invalid
  bool always_denies = false;  // whatever the binding's actions are
  size_t validation = 0;       // which one
};

/// What a policy says of a request. Failures in the order of the validations; none: it passes.
struct PolicyOutcome {
  std::vector<PolicyFailure> failures;
  std::vector<std::pair<Str, std::string>> annotations;  // auditAnnotations: key, value
};

/// Evaluates a policy with one parameter, which is part of `input`.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/policy/validating/validator.go.
PolicyOutcome evaluate_policy(const admissionregistrationv1::ValidatingAdmissionPolicySpec& policy, ExpressionInput input);

}  // namespace orrery::server
