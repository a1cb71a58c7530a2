#pragma once

#include <string_view>
#include <vector>

#include "engine/api/gen/rbacv1.h"
#include "engine/server/auth/attributes.h"
#include "engine/server/auth/node_authorizer.h"
#include "engine/server/auth/rbac_index.h"
#include "engine/server/options.h"

namespace orrery::server {

/// Who may do what: system:masters everything, others what one of the modes, asked in order,
/// allows. A copyable value, kept up to date by on_change().
class Authorizer {
 public:
  explicit Authorizer(std::vector<AuthorizationMode> modes);

  Decision authorize(const Attributes& attributes) const;
  /// The rules that apply to a user in a namespace (SelfSubjectRulesReview).
  SubjectRules rules_for(const ApiUser& user, std::string_view ns) const;

  /// True if changes of the kind matter here.
  static bool watches(const api::KindDesc& kind);
  /// One object was created (`old` null), changed or deleted (`fresh` null). Changes of kinds that
  /// do not matter are ignored.
  void on_change(const api::KindDesc& kind, const api::Object& old, const api::Object& fresh);

  const RbacIndex& rbac() const { return rbac_; }
  /// True if RBAC is one of the modes: only then are grants checked for escalation.
  bool has_mode(AuthorizationMode mode) const;

 private:
  std::vector<AuthorizationMode> modes_;
  RbacIndex rbac_;
  NodeAuthorizer node_;
};

}  // namespace orrery::server
