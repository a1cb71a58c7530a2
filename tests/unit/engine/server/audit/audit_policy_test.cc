#include "engine/server/audit/audit_policy.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

constexpr std::string_view kHead = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";

AuditPolicy policy(std::string_view rules) {
  auto parsed = AuditPolicy::parse(str_cat(kHead, rules), "policy.yaml");
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().message();
  return parsed.is_ok() ? *parsed : AuditPolicy(AuditLevel::kNone);
}

Attributes get(std::string_view resource, std::string_view subresource = "",
               std::string_view ns = "default") {
  Attributes out;
  out.user = {"alice", "", {"dev", "system:authenticated"}, {}};
  out.verb = "get";
  out.is_resource = true;
  out.resource = Str(resource);
  out.subresource = Str(subresource);
  out.ns = Str(ns);
  out.name = "n";
  return out;
}

Attributes path(std::string_view text) {
  Attributes out = get("");
  out.is_resource = false;
  out.path = Str(text);
  return out;
}

TEST(AuditPolicy, TheFirstRuleThatMatchesDecides) {
  const AuditPolicy p = policy(R"(
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, users: [system:kube-proxy]}
- {level: None, userGroups: [dev], nonResourceURLs: ["/healthz*", /version]}
- {level: Request, namespaces: [kube-system], omitStages: [ResponseStarted], omitManagedFields: false}
- level: RequestResponse
  resources:
  - {group: "", resources: [pods, "services/*", "*/status"]}
  - {group: "", resources: [configmaps], resourceNames: [n]}
- {level: Metadata, verbs: [get]}
)");
  EXPECT_EQ(p.decide(get("pods")).level, AuditLevel::kRequestResponse);
  EXPECT_EQ(p.decide(get("pods", "log")).level, AuditLevel::kMetadata)
      << "a resource is not its subresources";
  EXPECT_EQ(p.decide(get("nodes", "status", "")).level, AuditLevel::kRequestResponse);
  EXPECT_EQ(p.decide(get("services", "proxy")).level, AuditLevel::kRequestResponse);
  EXPECT_EQ(p.decide(get("configmaps")).level, AuditLevel::kRequestResponse);
  EXPECT_EQ(p.decide(get("secrets", "", "kube-system")).level, AuditLevel::kRequest);
  EXPECT_EQ(p.decide(path("/healthz/etcd")).level, AuditLevel::kNone);
  EXPECT_EQ(p.decide(path("/versions")).level, AuditLevel::kMetadata);
  Attributes proxy = get("pods");
  proxy.user.name = "system:kube-proxy";
  EXPECT_EQ(p.decide(proxy).level, AuditLevel::kNone);
  Attributes create = get("secrets");
  create.verb = "create";
  EXPECT_EQ(p.decide(create).level, AuditLevel::kNone) << "no rule";
  const AuditDecision system = p.decide(get("secrets", "", "kube-system"));
  EXPECT_FALSE(system.writes(AuditStage::kRequestReceived) ||
               system.writes(AuditStage::kResponseStarted));
  EXPECT_TRUE(system.writes(AuditStage::kResponseComplete));
  EXPECT_FALSE(system.omit_managed_fields);
  EXPECT_TRUE(p.decide(get("pods")).omit_managed_fields);
}

TEST(AuditPolicy, MistakesNameFileLineAndField) {
  const std::pair<std::string, std::string> cases[] = {
      {"rules: []\n", "rules: at least one rule"},
      {"rules:\n- {level: Loud}\n", "policy.yaml:4: rules[0].level: found \"Loud\""},
      {"rules:\n- {level: None}\n- {level: None, nonResourceURLs: [x]}\n",
       "policy.yaml:5: rules[1].nonResourceURLs"},
      {"rules:\n- {level: None, nonResourceURLs: ['/a*b']}\n", "final character"},
      {"rules:\n- {level: None, nonResourceURLs: ['/a'], namespaces: [x]}\n",
       "both regular resources"},
      {"rules:\n- {level: None, resources: [{group: '', resourceNames: [x]}]}\n",
       "requires at least one resource"},
      {"rules:\n- {level: None, omitStages: [Late]}\n", "omitStages: found \"Late\""},
      {"rules:\n- {level: None, colour: red}\n", "colour"},
      {"rules:\n- level: {}\n", "level"},
      {"rules: [\n", "policy.yaml:"},
  };
  for (const auto& [text, expected] : cases) {
    const auto parsed = AuditPolicy::parse(str_cat(kHead, text), "policy.yaml");
    ASSERT_FALSE(parsed.is_ok()) << text;
    EXPECT_NE(parsed.status().message().find(expected), std::string::npos)
        << parsed.status().message();
    EXPECT_TRUE(parsed.status().message().starts_with("policy.yaml")) << parsed.status().message();
  }
  EXPECT_FALSE(AuditPolicy::parse(
                   "apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: [{level: None}]\n", "p")
                   .is_ok());
}

}  // namespace
}  // namespace orrery::server
