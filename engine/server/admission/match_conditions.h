#pragma once

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/admission/expression_values.h"

namespace orrery::server {

/// What the conditions of a webhook or policy say of a request.
struct Match {
  bool matches = true;
  std::string error;  // why it cannot be said, and the failure policy says that this counts
};

/// Any condition that is false decides. Source: Kubernetes v1.32 webhook/matchconditions/matcher.go.
Match match_conditions(const List<admissionregistrationv1::MatchCondition>& conditions, const ExpressionInput& input, bool ignores_failure);

}  // namespace orrery::server
