#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/quota.h"
#include "engine/server/admission/pod_security_policy.h"

namespace orrery::server {

/// What PodSecurity does where a namespace says nothing, and whom it leaves alone.
struct PodSecuritySettings {
  PodSecurityPolicy defaults;
  std::vector<std::string> usernames, runtime_classes, namespaces;
};

/// A resource that nobody may use without a quota that covers it (limitedResources of the plugin's
/// configuration).
struct LimitedResource {
  Str group;
  Str resource;                              // plural
  std::vector<Str> match_contains;           // parts of names of what is counted
  std::vector<api::QuotaScope> match_scopes;
};

/// How many events may be written (EventRateLimit).
struct EventLimit {
  std::string type;  // Server, Namespace, User, SourceAndObject
  double qps = 0;
  double burst = 0;
  int64_t cache_size = 4096;  // keys that are remembered
};

/// How a server shows webhooks who it is.
struct WebhookCredential {
  std::string host;           // "hook.ns.svc", "hook.example.com:8443", "*.ns.svc" or "*"
  std::string authorization;  // the header; "" for none
  std::string certificate_pem, key_pem;  // of a client; "" for none
};

/// The configuration of admission plugins.
struct AdmissionSettings {
  PodSecuritySettings pod_security;
  std::vector<LimitedResource> limited_resources;
  std::vector<EventLimit> event_limits;
  std::vector<WebhookCredential> mutating_webhooks, validating_webhooks;
};

/// Gives the content of a file that a configuration names.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

/// Reads an AdmissionConfiguration of apiserver.config.k8s.io/v1 with the configurations of
/// PodSecurity, ResourceQuota, EventRateLimit and the webhook plugins, inline or in files of their own (paths are
/// relative to the folder of `file`). Invalid, with file, line and field, for what kube-apiserver
/// v1.32 refuses and for plugins that take no configuration here.
Result<AdmissionSettings> parse_admission_config(std::string_view text, const std::string& file,
                                                 const FileReader& read);

/// The users of a kubeconfig file, by the hosts that their names stand for.
/// Source: Kubernetes v1.32 apiserver/pkg/util/webhook/authentication.go.
Result<std::vector<WebhookCredential>> parse_webhook_kubeconfig(std::string_view text,
                                                                const std::string& file,
                                                                const FileReader& read);

/// Of a webhook at a host ("name.ns.svc" or that of its URL) and port; nullptr: it gets none.
const WebhookCredential* credential_for(const std::vector<WebhookCredential>& all,
                                        const std::string& host, int port);

}  // namespace orrery::server
