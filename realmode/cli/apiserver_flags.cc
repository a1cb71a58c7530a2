#include "realmode/cli/apiserver_flags.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "engine/api/scalars.h"
#include "engine/base/str.h"
#include "engine/server/admission/plugins.h"
#include "realmode/daemon/files.h"
#include "realmode/daemon/token_file.h"

namespace orrery::realmode {
namespace {

using server::AuthorizationMode;
using server::ServerOptions;

// Plugins of kube-apiserver v1.32 (pkg/kubeapiserver/options/plugins.go).
constexpr std::array<std::string_view, 35> kPluginNames = {"AlwaysAdmit",
                                                           "AlwaysDeny",
                                                           "AlwaysPullImages",
                                                           "CertificateApproval",
                                                           "CertificateSigning",
                                                           "CertificateSubjectRestriction",
                                                           "ClusterTrustBundleAttest",
                                                           "DefaultIngressClass",
                                                           "DefaultStorageClass",
                                                           "DefaultTolerationSeconds",
                                                           "DenyServiceExternalIPs",
                                                           "EventRateLimit",
                                                           "ExtendedResourceToleration",
                                                           "ImagePolicyWebhook",
                                                           "LimitPodHardAntiAffinityTopology",
                                                           "LimitRanger",
                                                           "MutatingAdmissionPolicy",
                                                           "MutatingAdmissionWebhook",
                                                           "NamespaceAutoProvision",
                                                           "NamespaceExists",
                                                           "NamespaceLifecycle",
                                                           "NodeRestriction",
                                                           "OwnerReferencesPermissionEnforcement",
                                                           "PersistentVolumeClaimResize",
                                                           "PodNodeSelector",
                                                           "PodSecurity",
                                                           "PodTolerationRestriction",
                                                           "Priority",
                                                           "ResourceQuota",
                                                           "RuntimeClass",
                                                           "ServiceAccount",
                                                           "StorageObjectInUseProtection",
                                                           "TaintNodesByCondition",
                                                           "ValidatingAdmissionPolicy",
                                                           "ValidatingAdmissionWebhook"};

Status refused(std::string_view flag, std::string_view value, std::string_view why) {
  return invalid(str_cat(flag, "=", value, ": ", why));
}

Status read_modes(const ApiserverFlags& flags, ServerOptions& options) {
  options.authorization_modes.clear();
  for (const std::string& mode : flags.authorization_mode) {
    if (mode == "AlwaysAllow") {
      options.authorization_modes.push_back(AuthorizationMode::kAlwaysAllow);
    } else if (mode == "AlwaysDeny") {
      options.authorization_modes.push_back(AuthorizationMode::kAlwaysDeny);
    } else if (mode == "Node") {
      options.authorization_modes.push_back(AuthorizationMode::kNode);
    } else if (mode == "RBAC") {
      options.authorization_modes.push_back(AuthorizationMode::kRbac);
    } else {
      return refused("--authorization-mode", mode,
                     "allowed are AlwaysAllow, AlwaysDeny, Node, RBAC");
    }
    const auto& modes = options.authorization_modes;
    if (std::count(modes.begin(), modes.end(), modes.back()) > 1)
      return refused("--authorization-mode", mode, "given twice");
  }
  if (options.authorization_modes.empty())
    return invalid("--authorization-mode: at least one mode is required");
  return Status::ok();
}

Status read_plugins(const ApiserverFlags& flags, ServerOptions& options) {
  const auto known = [](const std::string& name) {
    return std::find(kPluginNames.begin(), kPluginNames.end(), name) != kPluginNames.end();
  };
  const std::vector<std::string_view> present = server::admission_plugin_names();
  for (const std::string& name : flags.enable_admission_plugins) {
    if (!known(name))
      return refused("--enable-admission-plugins", name, "no such plugin in Kubernetes v1.32");
    if (std::find(present.begin(), present.end(), name) == present.end())
      return refused("--enable-admission-plugins", name, "orrery does not have this plugin yet");
    const auto& off = flags.disable_admission_plugins;
    if (std::find(off.begin(), off.end(), name) != off.end())
      return refused("--enable-admission-plugins", name, "is in --disable-admission-plugins too");
  }
  for (const std::string& name : flags.disable_admission_plugins)
    if (!known(name))
      return refused("--disable-admission-plugins", name, "no such plugin in Kubernetes v1.32");
  options.enable_admission_plugins = flags.enable_admission_plugins;
  options.disable_admission_plugins = flags.disable_admission_plugins;
  return Status::ok();
}

bool read_number(std::string_view text, int* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Status read_ports(const ApiserverFlags& flags, ServerOptions& options) {
  const std::string_view text = flags.service_node_port_range;
  const size_t dash = text.find('-');
  const bool numbers = dash != std::string_view::npos &&
                       read_number(text.substr(0, dash), &options.node_port_min) &&
                       read_number(text.substr(dash + 1), &options.node_port_max);
  if (!numbers || options.node_port_min < 1 || options.node_port_max > 65535 ||
      options.node_port_min > options.node_port_max)
    return refused("--service-node-port-range", text,
                   "expected MIN-MAX with ports from 1 to 65535");
  const int port = flags.secure_port;
  if (port < 0 || port > 65535)
    return refused("--secure-port", str_cat(port), "expected 0 to 65535");
  if (port >= options.node_port_min && port <= options.node_port_max)
    return refused("--secure-port", str_cat(port), "is in --service-node-port-range");
  return Status::ok();
}

Status read_service_range(const ApiserverFlags& flags, ServerOptions& options) {
  const std::string& text = flags.service_cluster_ip_range;
  const size_t slash = text.find('/');
  int bits = 0;
  in_addr address{};
  if (slash == std::string::npos ||
      inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1 ||
      !read_number(std::string_view(text).substr(slash + 1), &bits))
    return refused("--service-cluster-ip-range", text,
                   "expected one IPv4 range such as 10.96.0.0/16");
  if (bits < 12 || bits > 30)
    return refused("--service-cluster-ip-range", text, "the prefix must have 12 to 30 bits");
  if (const uint32_t host = ntohl(address.s_addr) & ((1u << (32 - bits)) - 1); host != 0)
    return refused("--service-cluster-ip-range", text, "bits behind the prefix must be 0");
  options.service_cidr = text;
  return Status::ok();
}

Status read_addresses(const ApiserverFlags& flags) {
  unsigned char bytes[16];
  const auto numeric = [&](const std::string& text) {
    return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, text.c_str(), bytes) == 1;
  };
  if (!numeric(flags.bind_address))
    return refused("--bind-address", flags.bind_address, "expected an IP address");
  if (!flags.advertise_address.empty() && !numeric(flags.advertise_address))
    return refused("--advertise-address", flags.advertise_address, "expected an IP address");
  return Status::ok();
}

Status read_kubelet_flags(const ApiserverFlags& flags, ServerOptions& options) {
  static constexpr std::array<std::string_view, 5> kTypes = {"Hostname", "InternalDNS", "InternalIP", "ExternalDNS",
                                                             "ExternalIP"};
  if (flags.kubelet_client_certificate.empty() != flags.kubelet_client_key.empty())
    return invalid("--kubelet-client-certificate and --kubelet-client-key must be given together");
  for (const std::string& type : flags.kubelet_preferred_address_types)
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
      return refused("--kubelet-preferred-address-types", type,
                     "allowed are Hostname, InternalDNS, InternalIP, ExternalDNS, ExternalIP");
  if (!flags.kubelet_preferred_address_types.empty())
    options.kubelet_preferred_address_types = flags.kubelet_preferred_address_types;
  return Status::ok();
}

Status read_issuers(const ApiserverFlags& flags, ServerOptions& options) {
  if (!flags.service_account_issuer.empty())
    options.service_account_issuers = flags.service_account_issuer;
  for (const std::string& issuer : options.service_account_issuers) {
    if (issuer.empty()) return invalid("--service-account-issuer: must not be empty");
    // As upstream: an issuer with a colon is meant to be a URL.
    if (issuer.find(':') != std::string::npos && issuer.find("://") == std::string::npos)
      return refused("--service-account-issuer", issuer, "contains a colon but is no URL");
  }
  options.service_account_audiences = flags.api_audiences;
  return Status::ok();
}

Status read_limits(const ApiserverFlags& flags, ServerOptions& options) {
  const int reads = flags.max_requests_inflight, writes = flags.max_mutating_requests_inflight;
  if (reads < 0) return refused("--max-requests-inflight", str_cat(reads), "must not be negative");
  if (writes < 0) return refused("--max-mutating-requests-inflight", str_cat(writes), "must not be negative");
  if (flags.enable_priority_and_fairness && reads + writes == 0)
    return invalid("--max-requests-inflight and --max-mutating-requests-inflight must add up to something positive");
  const auto timeout = api::parse_go_duration(flags.request_timeout);
  if (!timeout || timeout->ns <= 0)
    return refused("--request-timeout", flags.request_timeout, "expected a positive duration such as 1m0s");
  if (flags.goaway_chance < 0 || flags.goaway_chance > 0.02)
    return invalid("--goaway-chance: must not be less than 0 or greater than 0.02");
  options.max_requests_inflight = reads;
  options.max_mutating_requests_inflight = writes;
  options.priority_and_fairness = flags.enable_priority_and_fairness;
  options.request_timeout = timeout->duration();
  return Status::ok();
}

}  // namespace

Result<ServerOptions> server_options(const ApiserverFlags& flags) {
  ServerOptions options;
  ORRERY_TRY(read_modes(flags, options));
  ORRERY_TRY(read_plugins(flags, options));
  ORRERY_TRY(read_ports(flags, options));
  ORRERY_TRY(read_service_range(flags, options));
  ORRERY_TRY(read_addresses(flags));
  ORRERY_TRY(read_issuers(flags, options));
  ORRERY_TRY(read_limits(flags, options));
  ORRERY_TRY(read_kubelet_flags(flags, options));
  if (flags.tls_cert_file.empty() != flags.tls_private_key_file.empty())
    return invalid("--tls-cert-file and --tls-private-key-file must be given together");
  if (!flags.token_auth_file.empty()) {
    ORRERY_ASSIGN(const std::string text, read_file(flags.token_auth_file));
    Result<std::vector<server::StaticToken>> tokens = parse_token_file(text);
    if (!tokens)
      return tokens.status().with_context(str_cat("--token-auth-file=", flags.token_auth_file));
    options.tokens = std::move(*tokens);
  }
  if (flags.encryption_provider_config_automatic_reload && flags.encryption_provider_config.empty())
    return invalid("--encryption-provider-config-automatic-reload must be set with --encryption-provider-config");
  if (const std::string& path = flags.encryption_provider_config; !path.empty()) {
    ORRERY_ASSIGN(const std::string text, read_file(path));
    Result<server::EncryptionConfig> config = server::parse_encryption_config(text, path);
    if (!config) return config.status().with_context("--encryption-provider-config");
    options.encryption = std::move(*config);
  }
  if (const std::string& path = flags.admission_control_config_file; !path.empty()) {
    ORRERY_ASSIGN(const std::string text, read_file(path));
    Result<server::AdmissionSettings> settings = server::parse_admission_config(text, path, read_file);
    if (!settings) return settings.status().with_context("--admission-control-config-file");
    options.admission = std::move(*settings);
  }
  const auto& enabled = options.enable_admission_plugins;
  if (std::find(enabled.begin(), enabled.end(), "EventRateLimit") != enabled.end() && options.admission.event_limits.empty())
    return refused("--enable-admission-plugins", "EventRateLimit", "needs limits in --admission-control-config-file");
  options.anonymous_auth = flags.anonymous_auth;
  options.bootstrap_tokens = flags.enable_bootstrap_token_auth;
  options.allow_privileged = flags.allow_privileged;
  return options;
}

Status read_compaction(const ApiserverFlags& flags, ApiDaemon::Options& options) {
  const auto interval = api::parse_go_duration(flags.etcd_compaction_interval);
  if (!interval || interval->ns < 0)
    return refused("--etcd-compaction-interval", flags.etcd_compaction_interval,
                   "expected a duration such as 5m0s, or 0 for no compaction");
  options.compaction_interval = interval->duration();
  return Status::ok();
}

Status read_audit(const ApiserverFlags& flags, ApiDaemon::Options& options) {
  const std::pair<const char*, int> numbers[] = {{"--audit-log-maxage", flags.audit_log_maxage},
                                                 {"--audit-log-maxbackup", flags.audit_log_maxbackup},
                                                 {"--audit-log-maxsize", flags.audit_log_maxsize}};
  for (const auto& [flag, number] : numbers)
    if (number < 0) return refused(flag, str_cat(number), "must not be negative");
  options.audit_log_path = flags.audit_log_path;
  options.audit_rotation.age_max = Duration::hours(24 * int64_t{flags.audit_log_maxage});
  options.audit_rotation.backups_max = flags.audit_log_maxbackup;
  if (flags.audit_log_maxsize > 0) options.audit_rotation.bytes_max = static_cast<size_t>(flags.audit_log_maxsize) << 20;
  if (flags.audit_policy_file.empty()) return Status::ok();
  ORRERY_ASSIGN(const std::string text, read_file(flags.audit_policy_file));
  Result<server::AuditPolicy> policy = server::AuditPolicy::parse(text, flags.audit_policy_file);
  if (!policy) return policy.status().with_context("--audit-policy-file");
  options.audit_policy = std::move(*policy);
  return Status::ok();
}

}  // namespace orrery::realmode
