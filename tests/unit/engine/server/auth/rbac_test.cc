#include <gtest/gtest.h>

#include "engine/server/auth/authorizer.h"
#include "engine/server/auth/escalation.h"
#include "engine/server/bootstrap/bootstrap_objects.h"
#include "tests/support/object_table.h"

namespace orrery::server {
namespace {

using test::object_of;

api::Object role(std::string_view rules) {
  return object_of(str_cat(
      R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"r",)",
      R"("namespace":"ns"},"rules":)", rules, "}"));
}

api::Object binding(std::string_view subject) {
  return object_of(str_cat(
      R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"b",)",
      R"("namespace":"ns"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role",)",
      R"("name":"r"},"subjects":[)", subject, "]}"));
}

constexpr std::string_view kAlice = R"({"kind":"User","name":"alice"})";

class RbacTest : public testing::Test {
 protected:
  RbacTest() : authorizer_({AuthorizationMode::kRbac}) {}

  void change(const api::Object& old, const api::Object& fresh) {
    authorizer_.on_change(*(fresh ? fresh : old).kind(), old, fresh);
  }
  static Attributes asks(std::string_view verb, std::string_view resource,
                         std::string_view name = "") {
    Attributes a;
    a.user = {"alice", "", {"dev", "system:authenticated"}, {}};
    a.verb = verb;
    a.is_resource = true;
    a.ns = "ns";
    a.name = name;
    const size_t slash = resource.find('/');
    a.resource = resource.substr(0, slash);
    if (slash != resource.npos) a.subresource = resource.substr(slash + 1);
    return a;
  }
  bool may(std::string_view verb, std::string_view resource, std::string_view name = "") const {
    return authorizer_.authorize(asks(verb, resource, name)).allowed;
  }

  Authorizer authorizer_;
};

TEST_F(RbacTest, BindingsTakeEffectInWhateverOrderTheyArrive) {
  change({}, binding(kAlice));
  EXPECT_EQ(authorizer_.authorize(asks("get", "pods")).reason,
            "RBAC: role.rbac.authorization.k8s.io \"r\" not found");
  const api::Object get = role(R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}])");
  change({}, get);
  EXPECT_TRUE(may("get", "pods"));
  EXPECT_FALSE(may("list", "pods"));
  change(get, role(R"([{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}])"));
  EXPECT_FALSE(may("get", "pods"));
  EXPECT_TRUE(may("list", "pods"));
  change(binding(kAlice), {});
  EXPECT_FALSE(may("list", "pods"));
}

TEST_F(RbacTest, ChangedSubjectsAreForgotten) {
  change({}, role(R"([{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}])"));
  const api::Object to_group = binding(R"({"kind":"Group","name":"dev"})");
  change({}, to_group);
  EXPECT_TRUE(may("get", "pods"));
  change(to_group, binding(R"({"kind":"ServiceAccount","name":"sa"})"));
  EXPECT_FALSE(may("get", "pods"));
  Attributes a = asks("get", "pods");
  a.user = {"system:serviceaccount:ns:sa", "", {}, {}};
  EXPECT_EQ(authorizer_.authorize(a).reason,
            R"(RBAC: allowed by RoleBinding "b/ns" of Role "r" to ServiceAccount "sa/ns")");
  a.ns = "other";
  EXPECT_FALSE(authorizer_.authorize(a).allowed);
}

TEST_F(RbacTest, RulesNameSubresourcesAndObjects) {
  change({}, binding(kAlice));
  change({}, role(R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods","*/scale"]},
                     {"verbs":["update"],"apiGroups":[""],"resources":["configmaps"],"resourceNames":["one"]}])"));
  EXPECT_TRUE(may("get", "pods"));
  EXPECT_FALSE(may("get", "pods/log"));
  EXPECT_TRUE(may("get", "deployments/scale"));
  EXPECT_FALSE(may("get", "deployments"));
  EXPECT_TRUE(may("update", "configmaps", "one"));
  EXPECT_FALSE(may("update", "configmaps", "two"));
  EXPECT_FALSE(may("update", "configmaps"));
}

TEST_F(RbacTest, VerbsAndResourcesAreCaseSensitive) {
  change({}, binding(kAlice));
  change({}, role(R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}])"));
  EXPECT_FALSE(may("GET", "pods"));
  EXPECT_FALSE(may("get", "Pods"));
  EXPECT_FALSE(may("get", "pods "));
}

TEST_F(RbacTest, PathsMatchExactlyOrByPrefix) {
  change(
      {},
      object_of(
          R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"u"},
      "rules":[{"verbs":["get"],"nonResourceURLs":["/metrics","/logs/*"]}]})"));
  change({}, object_of(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding",
      "metadata":{"name":"u"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"u"},
      "subjects":[{"kind":"User","name":"alice"}]})"));
  Attributes a = asks("get", "");
  a.is_resource = false;
  for (const auto& [path, allowed] : {std::pair("/metrics", true), std::pair("/metrics/", false),
                                      std::pair("/logs/a/b", true), std::pair("/logs", false)}) {
    a.path = path;
    EXPECT_EQ(authorizer_.authorize(a).allowed, allowed) << path;
  }
}

TEST_F(RbacTest, MastersMayEverythingWithoutRules) {
  Attributes a = asks("delete", "nodes");
  a.user.groups = {"system:masters"};
  EXPECT_TRUE(authorizer_.authorize(a).allowed);
}

TEST_F(RbacTest, AggregationRulesNeedFullAuthority) {
  const api::Object all =
      object_of(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole",
      "metadata":{"name":"all"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]},"rules":null})");
  EXPECT_EQ(check_escalation(all, {}, {"alice", "", {}, {}}, authorizer_).status.message(),
            "clusterroles.rbac.authorization.k8s.io \"all\" is forbidden: must have cluster-admin "
            "privileges to use "
            "the aggregationRule");
  EXPECT_TRUE(
      check_escalation(all, {}, {"admin", "", {"system:masters"}, {}}, authorizer_).is_ok());
}

TEST_F(RbacTest, HeldWildcardsCoverTheirParts) {
  change({}, binding(kAlice));
  change({}, role(R"([{"verbs":["*"],"apiGroups":[""],"resources":["pods","*/status"]}])"));
  const ApiUser alice{"alice", "", {}, {}};
  const auto grant = [&](std::string_view resources) {
    return check_escalation(
        role(str_cat(R"([{"verbs":["get"],"apiGroups":[""],"resources":)", resources, "}]")), {},
        alice, authorizer_);
  };
  EXPECT_TRUE(grant(R"(["pods","nodes/status"])").is_ok());
  EXPECT_EQ(grant(R"(["*"])").status.message(),
            "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"alice\" (groups=[]) is "
            "attempting to grant "
            "RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"*\"], "
            "Verbs:[\"get\"]}");
}

TEST(Bootstrap, EveryObjectIsCreatable) {
  size_t cluster_roles = 0, api_services = 0;
  for (const api::Object& object : bootstrap_objects()) {
    ASSERT_NE(object.kind(), nullptr);
    EXPECT_FALSE(object.meta().name.empty());
    EXPECT_EQ(object.kind()->namespaced, !object.meta().namespace_.empty()) << object.meta().name.view();
    cluster_roles += object.kind()->kind == "ClusterRole";
    api_services += object.kind()->kind == "APIService";
  }
  EXPECT_EQ(cluster_roles, 65u);
  EXPECT_EQ(api_services, 20u);
  EXPECT_FALSE(node_rules().empty());
}

}  // namespace
}  // namespace orrery::server
