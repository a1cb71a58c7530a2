#include "engine/server/auth/authorizer.h"

#include <algorithm>

#include "engine/api/names.h"

namespace orrery::server {
namespace {

bool is_privileged(const ApiUser& user) {
  return std::find(user.groups.begin(), user.groups.end(), "system:masters") != user.groups.end();
}

}  // namespace

Authorizer::Authorizer(std::vector<AuthorizationMode> modes) : modes_(std::move(modes)) {}

bool Authorizer::has_mode(AuthorizationMode mode) const {
  return std::find(modes_.begin(), modes_.end(), mode) != modes_.end();
}

Decision Authorizer::authorize(const Attributes& attributes) const {
  if (is_privileged(attributes.user)) return {true, {}, {}};
  std::vector<std::string> reasons;
  for (const AuthorizationMode mode : modes_) {
    Decision decision;
    switch (mode) {
      case AuthorizationMode::kNode:
        decision = node_.authorize(attributes);
        break;
      case AuthorizationMode::kRbac:
        decision = rbac_.authorize(attributes);
        break;
      case AuthorizationMode::kAlwaysAllow:
        decision.allowed = true;
        break;
      case AuthorizationMode::kAlwaysDeny:
        decision.reason = "Everything is forbidden.";
        break;
    }
    if (decision.allowed) return decision;
    if (!decision.reason.empty()) reasons.push_back(decision.reason.str());
  }
  return {false, Str(api::join(reasons, "\n")), {}};
}

SubjectRules Authorizer::rules_for(const ApiUser& user, std::string_view ns) const {
  SubjectRules out;
  for (const AuthorizationMode mode : modes_) {
    if (mode == AuthorizationMode::kRbac) {
      SubjectRules rules = rbac_.rules_for(user, ns);
      out.rules.insert(out.rules.end(), rules.rules.begin(), rules.rules.end());
      if (!rules.errors.empty()) out.errors.push_back(api::aggregate(rules.errors));
    } else if (mode == AuthorizationMode::kNode && node_of_user(user)) {
      out.incomplete = true;
      out.errors.push_back("node authorizer does not support user rule resolution");
    } else if (mode == AuthorizationMode::kAlwaysAllow) {
      rbacv1::PolicyRule everything, every_path;
      everything.verbs = every_path.verbs = {"*"};
      everything.api_groups = everything.resources = {"*"};
      every_path.non_resource_urls = {"*"};
      out.rules.push_back(everything);
      out.rules.push_back(every_path);
    }
  }
  return out;
}

bool Authorizer::watches(const api::KindDesc& kind) {
  return RbacIndex::watches(kind) || NodeAuthorizer::watches(kind);
}

void Authorizer::on_change(const api::KindDesc& kind, const api::Object& old,
                           const api::Object& fresh) {
  CHECK(old || fresh) << "a change without an object";
  if (RbacIndex::watches(kind)) rbac_.on_change(old, fresh);
  if (NodeAuthorizer::watches(kind) && has_mode(AuthorizationMode::kNode))
    node_.on_change(old, fresh);
}

}  // namespace orrery::server
