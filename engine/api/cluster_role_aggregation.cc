#include "engine/api/cluster_role_aggregation.h"

#include <algorithm>

#include "engine/api/label_selector.h"
#include "engine/api/semantic.h"

namespace orrery::api {
namespace {

void add_rules(List<rbacv1::PolicyRule>& out, const List<rbacv1::PolicyRule>& more) {
  for (const rbacv1::PolicyRule& rule : more) {
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const auto& other) { return semantic_equal(other, rule); });
    if (!known) out.push_back(rule);
  }
}

}  // namespace

Result<List<rbacv1::PolicyRule>> aggregated_rules(const rbacv1::ClusterRole& role,
                                                  std::vector<Object> cluster_roles) {
  std::sort(cluster_roles.begin(), cluster_roles.end(),
            [](const Object& a, const Object& b) { return a.meta().name < b.meta().name; });
  List<rbacv1::PolicyRule> rules;
  for (const metav1::LabelSelector& label_selector :
       role.aggregation_rule->cluster_role_selectors) {
    ORRERY_ASSIGN(const Selector selector, Selector::of(&label_selector));
    for (const Object& other : cluster_roles) {
      const metav1::ObjectMeta& meta = other.meta();
      if (meta.name == role.metadata->name || !selector.matches(meta.labels)) continue;
      add_rules(rules, other.get<rbacv1::ClusterRole>().rules);
    }
  }
  return rules;
}

}  // namespace orrery::api
