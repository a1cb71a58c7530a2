#pragma once

#include "engine/api/object.h"
#include "engine/server/auth/authorizer.h"

namespace orrery::server {

/// May `user` create `fresh` (a Role, ClusterRole, RoleBinding or ClusterRoleBinding), or replace
/// `old` by it? Who grants rules must hold them all in that namespace, or have the verb escalate
/// on the role, or bind on the role a binding refers to. Members of system:masters may. Other
/// kinds are OK. Call it with the object as it will be stored, before validation.
/// Source: Kubernetes v1.32 pkg/registry/rbac/*/policybased.
Refusal check_escalation(const api::Object& fresh, const api::Object& old, const ApiUser& user,
                         const Authorizer& authorizer);

}  // namespace orrery::server
