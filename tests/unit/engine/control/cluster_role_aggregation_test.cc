#include "engine/control/cluster_role_aggregation/cluster_role_aggregation_controller.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/control/server_world.h"

namespace orrery::control {
namespace {

using rbacv1::ClusterRole;

class ClusterRoleAggregationTest : public ServerWorld, public testing::Test {
 protected:
  ClusterRoleAggregationTest() {
    ClusterRole viewer;
    viewer.metadata.mut().name = "viewer";
    metav1::LabelSelector chosen;
    chosen.match_labels.set("aggregate", "view");
    viewer.aggregation_rule.mut().cluster_role_selectors.push_back(chosen);
    create(viewer);
    start<ClusterRoleAggregationController>(ClusterRoleAggregationOptions());
  }
  static ClusterRole role(const char* name, const char* resource) {
    ClusterRole out;
    out.metadata.mut().name = name;
    out.metadata.mut().labels.set("aggregate", "view");
    rbacv1::PolicyRule rule;
    rule.verbs.push_back("get");
    rule.api_groups.push_back("");
    rule.resources.push_back(resource);
    out.rules.push_back(rule);
    return out;
  }
  std::string resources() {
    run_for(1);
    std::string all;
    for (const auto& rule : server_.find(kind_of<ClusterRole>(), "", "viewer").get<ClusterRole>().rules)
      all += str_cat(rule.resources[0], ' ');
    return all;
  }
};

TEST_F(ClusterRoleAggregationTest, ARoleHasTheRulesOfThoseItSelectsByName) {
  create(role("z", "pods"));
  create(role("a", "secrets"));
  create(role("b", "secrets"));
  EXPECT_EQ(resources(), "secrets pods ");
}

TEST_F(ClusterRoleAggregationTest, ItFollowsWhatChangesAndWhatGoes) {
  create(role("z", "pods"));
  const ClusterRole other = create(role("a", "secrets"));
  EXPECT_EQ(resources(), "secrets pods ");
  ClusterRole unlabelled = other;
  unlabelled.metadata.mut().labels = {};
  ASSERT_TRUE(call(update_request(api::Object::of(unlabelled))).status.is_ok());
  EXPECT_EQ(resources(), "pods ");
  ASSERT_TRUE(call(delete_request(kind_of<ClusterRole>(), "", "z")).status.is_ok());
  EXPECT_EQ(resources(), "");
}

TEST_F(ClusterRoleAggregationTest, RulesWrittenByHandAreReplaced) {
  create(role("z", "pods"));
  EXPECT_EQ(resources(), "pods ");
  api::Object edited = server_.find(kind_of<ClusterRole>(), "", "viewer");
  edited.mut<ClusterRole>().rules = role("x", "nodes").rules;
  ASSERT_TRUE(call(update_request(edited)).status.is_ok());
  EXPECT_EQ(resources(), "pods ");
}

}  // namespace
}  // namespace orrery::control
