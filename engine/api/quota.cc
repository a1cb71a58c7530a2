#include "engine/api/quota.h"

#include <algorithm>

#include "engine/api/label_selector.h"

namespace orrery::api {
namespace {

bool is_terminating(const corev1::Pod& pod) { return pod.spec->active_deadline_seconds.value_or(-1) >= 0; }

bool crosses_namespaces(const corev1::PodAffinityTerm& term) { return !term.namespaces.empty() || term.namespace_selector; }

template <typename Affinity>
bool crosses_namespaces(const Affinity& affinity) {
  const auto& required = affinity.required_during_scheduling_ignored_during_execution;
  const auto& preferred = affinity.preferred_during_scheduling_ignored_during_execution;
  return std::any_of(required.begin(), required.end(), [](const auto& term) { return crosses_namespaces(term); }) ||
         std::any_of(preferred.begin(), preferred.end(),
                     [](const auto& weighted) { return crosses_namespaces(weighted.pod_affinity_term); });
}

bool uses_other_namespaces(const corev1::Pod& pod) {
  return crosses_namespaces(*pod.spec->affinity->pod_affinity) || crosses_namespaces(*pod.spec->affinity->pod_anti_affinity);
}

Result<bool> priority_class_matches(const QuotaScope& scope, const corev1::Pod& pod) {
  const Str& name = pod.spec->priority_class_name;
  if (scope.operator_ == "Exists") return !name.empty();
  const SelectorOp op = scope.operator_ == "In"      ? SelectorOp::kIn
                        : scope.operator_ == "NotIn" ? SelectorOp::kNotIn
                                                     : SelectorOp::kDoesNotExist;
  const auto requirement = Requirement::make(scope.scope_name, op, {scope.values.begin(), scope.values.end()}, "");
  if (!requirement.is_ok())
    return bad_request(str_cat("failed to parse and convert selector: ", requirement.status().message()));
  return requirement->matches_value(name.empty() ? nullptr : &name);
}

}  // namespace

std::vector<QuotaScope> quota_scopes(const corev1::ResourceQuotaSpec& spec) {
  std::vector<QuotaScope> out;
  for (const Str& name : spec.scopes) {
    out.emplace_back();
    out.back().scope_name = name;
    out.back().operator_ = "Exists";
  }
  for (const QuotaScope& scope : spec.scope_selector->match_expressions) out.push_back(scope);
  return out;
}

Result<bool> in_quota_scope(const QuotaScope& scope, const Object& object) {
  const auto* pod = object.as<corev1::Pod>();
  if (!pod) return false;
  const Str& name = scope.scope_name;
  if (name == "Terminating") return is_terminating(*pod);
  if (name == "NotTerminating") return !is_terminating(*pod);
  if (name == "BestEffort") return qos_class(*pod->spec) == "BestEffort";
  if (name == "NotBestEffort") return qos_class(*pod->spec) != "BestEffort";
  if (name == "PriorityClass") return priority_class_matches(scope, *pod);
  return name == "CrossNamespacePodAffinity" && uses_other_namespaces(*pod);
}

Result<std::vector<QuotaScope>> matching_quota_scopes(const std::vector<QuotaScope>& scopes, const Object& object) {
  std::vector<QuotaScope> out;
  for (const QuotaScope& scope : scopes) {
    const auto inside = in_quota_scope(scope, object);
    if (!inside.is_ok()) return inside.status();
    if (*inside) out.push_back(scope);
  }
  return out;
}

Result<bool> quota_matches(const corev1::ResourceQuotaSpec& spec, const ResourceList& hard, const Object& object) {
  const std::vector<QuotaScope> scopes = quota_scopes(spec);
  const auto inside = matching_quota_scopes(scopes, object);
  if (!inside.is_ok()) return inside.status();
  return inside->size() == scopes.size() && !quota_names_of(*object.kind(), hard).empty();
}

ResourceList quota_used(const corev1::ResourceQuotaSpec& spec, std::span<const KindDesc* const> kinds,
                        const std::vector<Object>& objects, Time now) {
  ResourceList used;
  for (const KindDesc* kind : kinds) {
    if (!kind->namespaced || kind->plural.empty()) continue;
    for (const Str& name : quota_names_of(*kind, spec.hard)) used.set(name, Quantity::from_int(0));
  }
  for (const Object& object : objects) {
    const auto matches = quota_matches(spec, spec.hard, object);
    if (!matches.is_ok() || !*matches) continue;
    const auto counted = quota_names_of(*object.kind(), spec.hard);
    used = add_resources(used, mask_resources(quota_usage(object, now), counted));
  }
  return used;
}

ResourceList add_resources(const ResourceList& a, const ResourceList& b) {
  ResourceList sum = a;
  for (const auto& [name, amount] : b) {
    if (a.contains(name)) {
      sum.mut(name).add(amount);
    } else {
      sum.set(name, amount);
    }
  }
  return sum;
}

ResourceList subtract_resources(const ResourceList& a, const ResourceList& b) {
  ResourceList rest = a;
  for (const auto& [name, amount] : b) {
    Quantity& of = rest.mut(name);
    if (a.contains(name)) {
      of.sub(amount);
    } else {
      of = amount;
      of.negate();
    }
  }
  return rest;
}

ResourceList mask_resources(const ResourceList& all, const std::vector<Str>& names) {
  ResourceList out;
  for (const Str& name : names)
    if (const Quantity* amount = all.find(name)) out.set(name, *amount);
  return out;
}

std::vector<Str> resource_names(const ResourceList& all) {
  std::vector<Str> out;
  for (const auto& [name, amount] : all) out.push_back(name);
  return out;
}

}  // namespace orrery::api
