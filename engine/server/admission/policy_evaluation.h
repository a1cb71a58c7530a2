#pragma once

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/admission/expression_values.h"

namespace orrery::server {

/// What one validation of a policy has against a request.
struct PolicyFailure {
  std::string message;
  Str reason;  // "": Invalid
  bool always_denies = false;  // whatever the binding's actions are
};

/// Evaluates a policy with one parameter, which is part of `input`. Failures in the order of the
/// validations; none: the request passes.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/policy/validating/validator.go.
std::vector<PolicyFailure> evaluate_policy(const admissionregistrationv1::ValidatingAdmissionPolicySpec& policy, ExpressionInput input);

}  // namespace orrery::server
