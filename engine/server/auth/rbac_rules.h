#pragma once

#include <string>
#include <vector>

#include "engine/api/gen/rbacv1.h"
#include "engine/server/auth/attributes.h"

namespace orrery::server {

/// True if the rule allows the request. Source: Kubernetes v1.32 plugin/pkg/auth/authorizer/rbac.
bool rule_allows(const rbacv1::PolicyRule& rule, const Attributes& attributes);

/// The parts of `wanted`, each of one verb on one resource or path, that no rule of `held` covers.
/// Source: v1.32 component-helpers/auth/rbac/validation.Covers.
std::vector<rbacv1::PolicyRule> missing_rules(const std::vector<rbacv1::PolicyRule>& held,
                                              const List<rbacv1::PolicyRule>& wanted);

/// How messages name them: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, the verbs
/// of one resource together, sorted, without repetitions. Source: v1.32
/// rbac/validation.CompactRules.
std::vector<std::string> compact_texts(const std::vector<rbacv1::PolicyRule>& rules);

/// Go's %q of a list: `["a" "b"]`.
std::string quoted_list(const List<Str>& texts);

}  // namespace orrery::server
