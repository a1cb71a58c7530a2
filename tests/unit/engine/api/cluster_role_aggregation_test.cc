#include "engine/api/cluster_role_aggregation.h"

#include <gtest/gtest.h>

#include "engine/api/codec_json.h"

namespace orrery::api {
namespace {

Object role(std::string_view name, std::string_view label, std::string_view resource) {
  auto object = decode_json(str_cat(
      R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":")",
      name, R"(","labels":{"to":")", label,
      R"("}},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":[")", resource, R"("]}]})"));
  CHECK(object.is_ok()) << object.status().message();
  return *object;
}

TEST(ClusterRoleAggregation, RulesOfMatchingRolesByNameWithoutRepetitions) {
  rbacv1::ClusterRole all = role("all", "x", "ignored").get<rbacv1::ClusterRole>();
  metav1::LabelSelector selector;
  selector.match_labels = {{"to", "x"}};
  all.aggregation_rule.mut().cluster_role_selectors = {selector};
  const auto rules = aggregated_rules(
      all, {role("b", "x", "pods"), role("a", "x", "secrets"), role("c", "x", "pods"),
            role("d", "y", "nodes"), role("all", "x", "ignored")});
  ASSERT_TRUE(rules.is_ok());
  ASSERT_EQ(rules->size(), 2u);
  EXPECT_EQ((*rules)[0].resources[0], "secrets");
  EXPECT_EQ((*rules)[1].resources[0], "pods");
}

}  // namespace
}  // namespace orrery::api
