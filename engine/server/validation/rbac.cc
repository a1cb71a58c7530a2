// Roles and their bindings. Source: Kubernetes v1.32 pkg/apis/rbac/validation.
#include "engine/api/gen/rbacv1.h"
#include "engine/api/label_selector.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using namespace rbacv1;

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

void check_rules(const List<PolicyRule>& rules, bool namespaced, Findings& findings) {
  constexpr Path kRules("rules");
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto& rule = rules[i];
    const Path at = kRules.index(i);
    if (rule.verbs.empty()) findings.required(at.child("verbs"), "verbs must contain at least one value");
    if (!rule.non_resource_urls.empty()) {
      const Path urls = at.child("nonResourceURLs");
      const Shown shown = Shown::list(rule.non_resource_urls);
      if (namespaced) findings.invalid(urls, shown, "namespaced rules cannot apply to non-resource URLs");
      if (!rule.api_groups.empty() || !rule.resources.empty() || !rule.resource_names.empty())
        findings.invalid(urls, shown, "rules cannot apply to both regular resources and non-resource URLs");
      continue;
    }
    if (rule.api_groups.empty()) findings.required(at.child("apiGroups"), "resource rules must supply at least one api group");
    if (rule.resources.empty()) findings.required(at.child("resources"), "resource rules must supply at least one resource");
  }
}

void check_create(const Role& role, Findings& findings) {
  check_object_meta(*role.metadata, true, name_is_path_segment, findings);
  check_rules(role.rules, true, findings);
}

void check_update(const Role& role, const Role& old, Findings& findings) {
  check_create(role, findings);
  check_create(role, findings);
  check_object_meta_update(*role.metadata, *old.metadata, findings);
}

void check_aggregation(const AggregationRule& rule, SelectorRules rules, Findings& findings) {
  constexpr Path kSelectors("aggregationRule.clusterRoleSelectors");
  if (rule.cluster_role_selectors.empty())
    findings.required(kSelectors, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (size_t i = 0; i < rule.cluster_role_selectors.size(); ++i) {
    const auto& selector = rule.cluster_role_selectors[i];
    check_label_selector(&selector, kSelectors.index(i), findings, rules);
    if (!api::Selector::of(&selector).is_ok()) findings.invalid(kSelectors.index(i), "null", "invalid label selector.");
  }
}

void check_cluster_role(const ClusterRole& role, SelectorRules rules, Findings& findings) {
  check_object_meta(*role.metadata, false, name_is_path_segment, findings);
  check_rules(role.rules, false, findings);
  if (role.aggregation_rule) check_aggregation(*role.aggregation_rule, rules, findings);
}

void check_create(const ClusterRole& role, Findings& findings) { check_cluster_role(role, {}, findings); }

void check_update(const ClusterRole& role, const ClusterRole& old, Findings& findings) {
  SelectorRules rules;
  if (old.aggregation_rule)
    for (const auto& selector : old.aggregation_rule->cluster_role_selectors)
      rules.any_values = rules.any_values || has_invalid_label_value(&selector);
  check_cluster_role(role, rules, findings);
  check_cluster_role(role, rules, findings);
  check_object_meta_update(*role.metadata, *old.metadata, findings);
}

void check_subject(const Subject& subject, bool namespaced, const Path& at, Findings& findings) {
  if (subject.name.empty()) findings.required(at.child("name"));
  if (subject.kind == "ServiceAccount") {
    if (!subject.name.empty()) check_subdomain(subject.name, at.child("name"), findings);
    if (!subject.api_group.empty()) findings.not_supported(at.child("apiGroup"), subject.api_group, {""});
    if (!namespaced && subject.namespace_.empty()) findings.required(at.child("namespace"));
  } else if (is_one_of(subject.kind, {"User", "Group"})) {
    if (subject.api_group != kGroup) findings.not_supported(at.child("apiGroup"), subject.api_group, {kGroup});
  } else {
    findings.not_supported(at.child("kind"), subject.kind, {"ServiceAccount", "User", "Group"});
  }
}

template <typename B>
void check_binding(const B& binding, bool namespaced, Findings& findings) {
  constexpr Path kRef("roleRef"), kSubjects("subjects");
  check_object_meta(*binding.metadata, namespaced, name_is_path_segment, findings);
  const auto& ref = binding.role_ref;
  if (ref.api_group != kGroup) findings.not_supported(kRef.child("apiGroup"), ref.api_group, {kGroup});
  if (ref.kind != "ClusterRole" && !(namespaced && ref.kind == "Role")) {
    if (namespaced) findings.not_supported(kRef.child("kind"), ref.kind, {"Role", "ClusterRole"});
    else findings.not_supported(kRef.child("kind"), ref.kind, {"ClusterRole"});
  }
  if (ref.name.empty()) findings.required(kRef.child("name"));
  else findings.invalid(kRef.child("name"), ref.name, check_path_segment(ref.name));
  for (size_t i = 0; i < binding.subjects.size(); ++i) check_subject(binding.subjects[i], namespaced, kSubjects.index(i), findings);
}

template <typename B, bool Namespaced>
void check_binding_create(const B& binding, Findings& findings) {
  check_binding(binding, Namespaced, findings);
}
template <typename B, bool Namespaced>
void check_binding_update(const B& binding, const B& old, Findings& findings) {
  check_binding(binding, Namespaced, findings);
  check_binding(binding, Namespaced, findings);
  check_object_meta_update(*binding.metadata, *old.metadata, findings);
  if (!api::semantic_equal(binding.role_ref, old.role_ref))
    findings.invalid(Path("roleRef"), Shown::object(binding.role_ref), "cannot change roleRef");
}

}  // namespace

std::span<const CheckRow> rbac_checks() {
  static const CheckRow kRows[] = {
      check_row<Role, check_create, check_update>(),
      check_row<ClusterRole, check_create, check_update>(),
      check_row<RoleBinding, check_binding_create<RoleBinding, true>, check_binding_update<RoleBinding, true>>(),
      check_row<ClusterRoleBinding, check_binding_create<ClusterRoleBinding, false>, check_binding_update<ClusterRoleBinding, false>>(),
  };
  return kRows;
}

}  // namespace orrery::server
