#include "engine/server/auth/rbac_index.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/server/auth/rbac_rules.h"

namespace orrery::server {
namespace {

constexpr std::string_view kServiceAccountPrefix = "system:serviceaccount:";

// The user a subject of kind ServiceAccount means; "" if it names no namespace and has none.
std::string service_account_of(const rbacv1::Subject& subject, std::string_view binding_ns) {
  const std::string_view ns = subject.namespace_.empty() ? binding_ns : subject.namespace_.view();
  return ns.empty() ? std::string() : str_cat(kServiceAccountPrefix, ns, ":", subject.name);
}

bool applies(const rbacv1::Subject& subject, const ApiUser& user, std::string_view binding_ns) {
  if (subject.kind == "User") return user.name == subject.name;
  if (subject.kind == "Group")
    return std::find(user.groups.begin(), user.groups.end(), subject.name) != user.groups.end();
  return subject.kind == "ServiceAccount" &&
         user.name.view() == service_account_of(subject, binding_ns);
}

std::string describe_subject(const rbacv1::Subject& subject, std::string_view binding_ns) {
  std::string name = subject.name.str();
  if (subject.kind == "ServiceAccount")
    name = str_cat(name, "/", subject.namespace_.empty() ? binding_ns : subject.namespace_.view());
  return str_cat(subject.kind, " ", api::quoted(name));
}

std::string describe(std::string_view ns, std::string_view name, const rbacv1::RoleRef& role,
                     const rbacv1::Subject& subject) {
  const std::string binding = ns.empty()
                                  ? str_cat("ClusterRoleBinding ", api::quoted(name))
                                  : str_cat("RoleBinding ", api::quoted(str_cat(name, "/", ns)));
  return str_cat(binding, " of ", role.kind, " ", api::quoted(role.name), " to ",
                 describe_subject(subject, ns));
}

template <typename Binding>
const Binding* as_binding(const api::Object& object) {
  return object ? object.as<Binding>() : nullptr;
}

}  // namespace

bool RbacIndex::watches(const api::KindDesc& kind) {
  return kind.group == "rbac.authorization.k8s.io" && kind.storage_prefix != "";
}

RbacIndex::Found RbacIndex::find_bindings(const ApiUser& user, std::string_view ns) const {
  std::vector<BindingKey> keys;
  const auto take = [&](const auto& index, const Str& subject) {
    const auto found = index.find(subject);
    if (found == index.end()) return;
    const std::set<BindingKey>& set = found->second;
    for (auto it = set.begin(); it != set.end() && it->first.empty(); ++it) keys.push_back(*it);
    if (ns.empty()) return;
    for (auto it = set.lower_bound({Str(ns), Str()}); it != set.end() && it->first == ns; ++it)
      keys.push_back(*it);
  };
  take(by_user_, user.name);
  for (const Str& group : user.groups) take(by_group_, group);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  Found found;
  for (const BindingKey& key : keys) found.push_back(&bindings_.at(key));
  return found;
}

Result<List<rbacv1::PolicyRule>> RbacIndex::rules_of(const rbacv1::RoleRef& role,
                                                     std::string_view ns) const {
  const bool cluster = role.kind == "ClusterRole";
  if (!cluster && role.kind != "Role")
    return internal_error(str_cat("unsupported role reference kind: ", api::quoted(role.kind)));
  const auto& roles = cluster ? cluster_roles_ : roles_;
  const auto found = roles.find(cluster ? role.name : api::object_key(ns, role.name));
  if (found != roles.end()) return found->second;
  return orrery::not_found(str_cat(cluster ? "clusterrole" : "role", ".rbac.authorization.k8s.io ",
                                   api::quoted(role.name), " not found"));
}

Decision RbacIndex::authorize(const Attributes& attributes) const {
  std::vector<std::string> errors;
  for (const Binding* binding : find_bindings(attributes.user, attributes.ns)) {
    const auto rules = rules_of(binding->role, binding->ns);
    if (!rules.is_ok()) {
      errors.push_back(rules.status().message());
      continue;
    }
    if (std::none_of(rules->begin(), rules->end(),
                     [&](const auto& rule) { return rule_allows(rule, attributes); }))
      continue;
    const auto subject =
        std::find_if(binding->subjects.begin(), binding->subjects.end(),
                     [&](const auto& s) { return applies(s, attributes.user, binding->ns); });
    return {true,
            Str(str_cat("RBAC: allowed by ",
                        describe(binding->ns, binding->name, binding->role, *subject))),
            {}};
  }
  if (errors.empty()) return {};
  return {false, Str(str_cat("RBAC: ", api::aggregate(errors))), {}};
}

SubjectRules RbacIndex::rules_for(const ApiUser& user, std::string_view ns) const {
  SubjectRules out;
  for (const Binding* binding : find_bindings(user, ns)) {
    const auto rules = rules_of(binding->role, binding->ns);
    if (!rules.is_ok()) {
      out.errors.push_back(rules.status().message());
    } else {
      out.rules.insert(out.rules.end(), rules->begin(), rules->end());
    }
  }
  return out;
}

void RbacIndex::index(const Binding& binding, bool add) {
  const BindingKey key{binding.ns, binding.name};
  for (const rbacv1::Subject& subject : binding.subjects) {
    auto& by = subject.kind == "Group" ? by_group_ : by_user_;
    const Str name = subject.kind == "ServiceAccount" ? Str(service_account_of(subject, binding.ns))
                                                      : subject.name;
    if (add) {
      by[name].insert(key);
      continue;
    }
    const auto it = by.find(name);
    if (it == by.end()) continue;
    it->second.erase(key);
    if (it->second.empty()) by.erase(it);
  }
}

void RbacIndex::set_binding(const BindingKey& key, const Binding* binding) {
  if (const auto old = bindings_.find(key); old != bindings_.end()) {
    index(old->second, false);
    bindings_.erase(old);
  }
  if (binding == nullptr) return;
  index(bindings_.emplace(key, *binding).first->second, true);
}

void RbacIndex::set_rules(const api::Object& role, const List<rbacv1::PolicyRule>* rules) {
  auto& roles = role.is<rbacv1::ClusterRole>() ? cluster_roles_ : roles_;
  const Str key = api::object_key(role.meta());
  if (rules != nullptr) {
    roles[key] = *rules;
  } else {
    roles.erase(key);
  }
}

void RbacIndex::on_change(const api::Object& old, const api::Object& fresh) {
  const api::Object& any = fresh ? fresh : old;
  const metav1::ObjectMeta& meta = any.meta();
  if (any.is<rbacv1::ClusterRole>()) {
    set_rules(any, fresh ? &fresh.get<rbacv1::ClusterRole>().rules : nullptr);
  } else if (any.is<rbacv1::Role>()) {
    set_rules(any, fresh ? &fresh.get<rbacv1::Role>().rules : nullptr);
  } else if (any.is<rbacv1::ClusterRoleBinding>() || any.is<rbacv1::RoleBinding>()) {
    Binding binding{meta.namespace_, meta.name, {}, {}};
    if (const auto* b = as_binding<rbacv1::ClusterRoleBinding>(fresh)) {
      binding.role = b->role_ref;
      binding.subjects = b->subjects;
    } else if (const auto* r = as_binding<rbacv1::RoleBinding>(fresh)) {
      binding.role = r->role_ref;
      binding.subjects = r->subjects;
    }
    set_binding({meta.namespace_, meta.name}, fresh ? &binding : nullptr);
  }
}

}  // namespace orrery::server
