#pragma once

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {

/// What webhooks and admission policies have in common: rules about requests and match conditions.
/// Source: Kubernetes v1.32 pkg/apis/admissionregistration/validation.
void check_admission_rule(const admissionregistrationv1::RuleWithOperations& rule, const Path& at, Findings& findings);
/// Names and presence; the expressions are not compiled.
void check_match_conditions(const List<admissionregistrationv1::MatchCondition>& conditions, const Path& at, Findings& findings);

}  // namespace orrery::server
