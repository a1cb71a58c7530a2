#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/api/gen/rbacv1.h"
#include "engine/server/auth/attributes.h"

namespace orrery::server {

/// The rules that apply to a user, and what kept some of them from being found.
struct SubjectRules {
  std::vector<rbacv1::PolicyRule> rules;
  std::vector<std::string> errors;
  bool incomplete = false;  // an authorizer cannot list its rules
};

/// RBAC as Kubernetes v1.32 plugin/pkg/auth/authorizer/rbac evaluates it, over an index of bindings
/// by subject: a check looks at the user's own bindings only. Bindings are asked in the order
/// cluster role bindings, then role bindings of the namespace, each by name.
class RbacIndex {
 public:
  Decision authorize(const Attributes& attributes) const;
  /// Cluster role bindings, and role bindings of `ns` if it is not "".
  SubjectRules rules_for(const ApiUser& user, std::string_view ns) const;
  /// What a role reference grants in the namespace of its binding ("" for cluster role bindings);
  /// NotFound `role.rbac.authorization.k8s.io "x" not found` if there is no such role.
  Result<List<rbacv1::PolicyRule>> rules_of(const rbacv1::RoleRef& role, std::string_view ns) const;

  static bool watches(const api::KindDesc& kind);
  void on_change(const api::Object& old, const api::Object& fresh);

 private:
  /// A binding and the role it grants.
  struct Binding {
    Str ns;  // "" for cluster role bindings
    Str name;
    rbacv1::RoleRef role;
    List<rbacv1::Subject> subjects;
  };
  /// (namespace, binding name); namespace "" sorts first.
  using BindingKey = std::pair<Str, Str>;
  using Bindings = std::map<BindingKey, Binding>;
  using Found = std::vector<const Binding*>;

  Found find_bindings(const ApiUser& user, std::string_view ns) const;
  void index(const Binding& binding, bool add);
  void set_binding(const BindingKey& key, const Binding* binding);
  void set_rules(const api::Object& role, const List<rbacv1::PolicyRule>* rules);

  Bindings bindings_;
  std::unordered_map<Str, std::set<BindingKey>> by_user_;
  std::unordered_map<Str, std::set<BindingKey>> by_group_;
  std::unordered_map<Str, List<rbacv1::PolicyRule>> cluster_roles_;
  std::unordered_map<Str, List<rbacv1::PolicyRule>> roles_;  // by namespace/name
};

}  // namespace orrery::server
