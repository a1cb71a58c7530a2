#include "engine/server/auth/escalation.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/api/semantic.h"
#include "engine/server/auth/rbac_rules.h"

namespace orrery::server {
namespace {

using rbacv1::PolicyRule;
constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

// What is checked, and for whom.
struct Grant {
  const ApiUser& user;
  const Authorizer& authorizer;
  std::string_view resource;  // roles, clusterroles, rolebindings, clusterrolebindings
  std::string_view ns;
  std::string_view name;
};

bool may(const Grant& grant, std::string_view verb, std::string_view resource,
         std::string_view name) {
  Attributes a;
  a.user = grant.user;
  a.verb = verb;
  a.is_resource = true;
  a.group = kGroup;
  a.version = "*";
  a.resource = resource;
  a.ns = grant.ns;
  a.name = name;
  return grant.authorizer.authorize(a).allowed;
}

// "" if the user holds all of the rules, else the message that names the missing ones.
std::string missing_text(const Grant& grant, const List<PolicyRule>& rules) {
  const SubjectRules held = grant.authorizer.rbac().rules_for(grant.user, grant.ns);
  const std::vector<PolicyRule> missing = missing_rules(held.rules, rules);
  if (missing.empty()) return "";
  std::string text =
      str_cat("user ", api::quoted(grant.user.name), " (groups=", quoted_list(grant.user.groups),
              ") is attempting to grant RBAC permissions not currently held:\n",
              api::join(compact_texts(missing), "\n"));
  if (!held.errors.empty())
    text = str_cat(text, "; resolution errors: [", api::aggregate(held.errors), "]");
  return text;
}

Refusal check_rules(const Grant& grant, const List<PolicyRule>& rules) {
  const std::string why = missing_text(grant, rules);
  return why.empty() ? Refusal{} : forbidden(kGroup, grant.resource, grant.name, why);
}

List<PolicyRule> full_authority() {
  PolicyRule everything, every_path;
  everything.verbs = every_path.verbs = {"*"};
  everything.api_groups = everything.resources = {"*"};
  every_path.non_resource_urls = {"*"};
  return {everything, every_path};
}

bool aggregates(const api::Object& role) {
  const auto* cluster_role = role ? role.as<rbacv1::ClusterRole>() : nullptr;
  return cluster_role != nullptr && cluster_role->aggregation_rule && !cluster_role->aggregation_rule->cluster_role_selectors.empty();
}

Refusal check_role(const Grant& grant, const api::Object& fresh, const api::Object& old,
                   const List<PolicyRule>& rules) {
  // The path of a create names nothing.
  if (may(grant, "escalate", grant.resource, old ? grant.name : std::string_view())) return {};
  if (Refusal refusal = check_rules(grant, rules); !refusal.is_ok()) return refusal;
  if ((aggregates(fresh) || aggregates(old)) && !missing_text(grant, full_authority()).empty())
    return forbidden(kGroup, grant.resource, grant.name,
                     "must have cluster-admin privileges to use the aggregationRule");
  return {};
}

Refusal check_binding(const Grant& grant, const rbacv1::RoleRef& role) {
  if (may(grant, "bind", role.kind == "ClusterRole" ? "clusterroles" : "roles", role.name))
    return {};
  const auto rules = grant.authorizer.rbac().rules_of(role, grant.ns);
  if (rules.is_ok()) return check_rules(grant, *rules);
  // Kubernetes names the resource of the request here, not that of the role.
  if (rules.status().code() == Code::kNotFound) return not_found(kGroup, grant.resource, role.name);
  return plain_refusal(rules.status());
}

// Nothing but what garbage collection needs has changed: owners and finalizers.
bool only_for_collection(const api::Object& fresh, const api::Object& old) {
  if (!old) return false;
  api::Object a = fresh, b = old;
  for (api::Object* object : {&a, &b}) {
    metav1::ObjectMeta& meta = object->mut_meta();
    meta.owner_references.reset();
    meta.finalizers.reset();
    meta.managed_fields.reset();
    meta.resource_version = Str();
  }
  return api::semantic_equal(a, b);
}

}  // namespace

Refusal check_escalation(const api::Object& fresh, const api::Object& old, const ApiUser& user,
                         const Authorizer& authorizer) {
  if (fresh.kind() == nullptr || !RbacIndex::watches(*fresh.kind())) return {};
  if (!authorizer.has_mode(AuthorizationMode::kRbac)) return {};
  if (std::find(user.groups.begin(), user.groups.end(), "system:masters") != user.groups.end())
    return {};
  if (only_for_collection(fresh, old)) return {};
  const metav1::ObjectMeta& meta = fresh.meta();
  const Grant grant{user, authorizer, fresh.kind()->plural, meta.namespace_, meta.name};
  if (const auto* role = fresh.as<rbacv1::Role>())
    return check_role(grant, fresh, old, role->rules);
  if (const auto* role = fresh.as<rbacv1::ClusterRole>())
    return check_role(grant, fresh, old, role->rules);
  if (const auto* binding = fresh.as<rbacv1::RoleBinding>())
    return check_binding(grant, binding->role_ref);
  if (const auto* binding = fresh.as<rbacv1::ClusterRoleBinding>())
    return check_binding(grant, binding->role_ref);
  return {};
}

}  // namespace orrery::server
