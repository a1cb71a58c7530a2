#include "engine/server/admission/settings.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

constexpr std::string_view kHead =
    "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n";

Result<std::string> read(const std::string& path) {
  if (path == "/etc/k8s/quota.yaml")
    return std::string(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: "
        "ResourceQuotaConfiguration\nlimitedResources:\n"
        "- {resource: pods, matchScopes: [{scopeName: PriorityClass, operator: In, values: "
        "[high]}]}\n");
  if (path == "/etc/k8s/hooks.conf")
    return std::string(
        "apiVersion: v1\nkind: Config\nusers:\n- {name: '*.ns.svc', user: {tokenFile: token}}\n");
  if (path == "/etc/k8s/token") return std::string("secret\n");
  return bad_request(path + ": cannot be opened");
}

TEST(AdmissionConfig, ReadsConfigurationsInPlaceAndInFiles) {
  const auto settings = parse_admission_config(str_cat(kHead, R"(
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline, enforce-version: v1.25, warn: restricted}
    exemptions: {usernames: [root], namespaces: [kube-system], runtimeClasses: [kata]}
- {name: ResourceQuota, path: quota.yaml}
- name: MutatingAdmissionWebhook
  configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, kubeConfigFile: /etc/k8s/hooks.conf}
- name: EventRateLimit
  configuration:
    apiVersion: eventratelimit.admission.k8s.io/v1alpha1
    kind: Configuration
    limits: [{type: Server, qps: 5, burst: 10}, {type: User, qps: 1, burst: 2, cacheSize: 7}]
- {name: NamespaceLifecycle}
)"),
                                               "/etc/k8s/admission.yaml", read);
  ASSERT_TRUE(settings.is_ok()) << settings.status().message();
  EXPECT_EQ(settings->pod_security.defaults.enforce.to_string(), "baseline:v1.25");
  EXPECT_EQ(settings->pod_security.defaults.warn.to_string(), "restricted:latest");
  EXPECT_EQ(settings->pod_security.defaults.audit.to_string(), "privileged:latest");
  EXPECT_EQ(settings->pod_security.namespaces, std::vector<std::string>{"kube-system"});
  ASSERT_EQ(settings->limited_resources.size(), 1u);
  EXPECT_EQ(settings->limited_resources[0].match_scopes.at(0).values[0], "high");
  ASSERT_EQ(settings->mutating_webhooks.size(), 1u);
  EXPECT_EQ(settings->mutating_webhooks[0].authorization, "Bearer secret");
  ASSERT_EQ(settings->event_limits.size(), 2u);
  EXPECT_EQ(settings->event_limits[0].cache_size, 4096);
  EXPECT_EQ(settings->event_limits[1].type, "User");
}

TEST(AdmissionConfig, MistakesNameFileAndField) {
  const std::string quota =
      "- name: ResourceQuota\n  configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: "
      "ResourceQuotaConfiguration, ";
  const std::string pods =
      "- name: PodSecurity\n  configuration: {apiVersion: pod-security.admission.config.k8s.io/v1, "
      "kind: PodSecurityConfiguration, ";
  const std::pair<std::string, std::string> cases[] = {
      {"- {path: x}\n", "plugins[0].name: is required"},
      {"- name: EventRateLimit\n  configuration: {apiVersion: eventratelimit.admission.k8s.io/v1alpha1, kind: Configuration, "
       "limits: [{type: Pod, qps: 1, burst: 1}]}\n",
       "plugins[0].configuration.limits[0].type: found \"Pod\""},
      {"- name: EventRateLimit\n  configuration: {apiVersion: eventratelimit.admission.k8s.io/v1alpha1, kind: Configuration}\n",
       "limits: must not be empty"},
      {"- {name: PodSecurity, path: none.yaml}\n", "/etc/k8s/none.yaml"},
      {"- {name: PodSecurity, path: x, configuration: {}}\n", "must not be given beside"},
      {"- {name: Nonsense, configuration: {a: 1}}\n", "takes no configuration"},
      {pods + "defaults: {enforce: strict}}\n",
       "a.yaml:5: plugins[0].configuration.defaults.enforce"},
      {pods + "defaults: {enforce-version: 1.25}}\n", "enforce-version"},
      {pods + "defaults: {colour: red}}\n", "colour: unknown field"},
      {pods + "exemptions: {namespaces: all}}\n",
       "exemptions.namespaces: found string, must be a list"},
      {quota + "limitedResources: [{apiGroup: apps}]}\n",
       "limitedResources[0].resource: is required"},
      {quota + "limitedResources: [{resource: pods, matchScopes: [{scopeName: Best}]}]}\n",
       "scopeName"},
  };
  for (const auto& [text, expected] : cases) {
    const auto settings = parse_admission_config(str_cat(kHead, text), "/etc/k8s/a.yaml", read);
    ASSERT_FALSE(settings.is_ok()) << text;
    EXPECT_NE(settings.status().message().find(expected), std::string::npos)
        << settings.status().message();
  }
}

TEST(WebhookCredentials, AreFoundByHostPortAndDomain) {
  const std::vector<WebhookCredential> all = {{"a.ns.svc:8443", "1", "", ""},
                                              {"a.ns.svc", "2", "", ""},
                                              {"*.ns.svc", "3", "", ""},
                                              {"*", "4", "", ""}};
  EXPECT_EQ(credential_for(all, "a.ns.svc", 8443)->authorization, "1");
  EXPECT_EQ(credential_for(all, "a.ns.svc", 443)->authorization, "2");
  EXPECT_EQ(credential_for(all, "b.ns.svc", 443)->authorization, "3");
  EXPECT_EQ(credential_for(all, "b.other.svc", 443)->authorization, "4");
  EXPECT_EQ(credential_for({all[0]}, "b.other.svc", 443), nullptr);
}

TEST(WebhookCredentials, OfAKubeconfigAreBasicTokensOrCertificates) {
  const auto all = parse_webhook_kubeconfig(
      "users:\n- {name: a, user: {username: u, password: p}}\n- {name: b, user: "
      "{client-certificate-data: QQ==, client-key-data: Qg==}}\n",
      "c", read);
  ASSERT_TRUE(all.is_ok()) << all.status().message();
  EXPECT_EQ((*all)[0].authorization, "Basic dTpw");
  EXPECT_EQ((*all)[1].certificate_pem, "A");
  EXPECT_EQ((*all)[1].key_pem, "B");
  for (const char* bad :
       {"users:\n- {name: a, user: {client-certificate-data: QQ==}}\n",
        "users:\n- {user: {token: t}}\n", "users:\n- {name: a, user: {exec: {}}}\n",
        "users:\n- {name: a, user: {tokenFile: none}}\n"})
    EXPECT_FALSE(parse_webhook_kubeconfig(bad, "c", read).is_ok()) << bad;
}

}  // namespace
}  // namespace orrery::server
