#pragma once

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/admission/expression_types.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {

/// What webhooks and admission policies have in common: rules about requests and match conditions.
/// Source: Kubernetes v1.32 pkg/apis/admissionregistration/validation.
void check_admission_rule(const admissionregistrationv1::RuleWithOperations& rule, const Path& at, Findings& findings);
/// `params`: the expressions may use them.
void check_match_conditions(const List<admissionregistrationv1::MatchCondition>& conditions, bool params, const Path& at, Findings& findings);
/// The expression compiles, and gives one of `wanted` (empty: anything). Its type, or an error type.
api::cel::Type check_expression(std::string_view source, const ExpressionNames& names, std::initializer_list<api::cel::Type::Kind> wanted,
                                const Path& at, Findings& findings);

}  // namespace orrery::server
