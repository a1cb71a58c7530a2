#include "realmode/cli/commands.h"

#include <CLI/CLI.hpp>

#include "realmode/cli/apiserver.h"

namespace orrery::realmode {
namespace {

const char* const kCompactionHelp = "how often the store, the embedded one too, forgets its past; default 5m0s, 0: never";

// The parsed flags live as long as the command line that refers to them.
struct ApiserverCommand : CLI::App {
  explicit ApiserverCommand(CLI::App* parent);
  void add_limits();
  ApiserverFlags flags;
};

struct UpCommand : CLI::App {
  explicit UpCommand(CLI::App* parent);
  ApiserverFlags flags;
  bool control_plane_only = false;
};

ApiserverCommand::ApiserverCommand(CLI::App* parent)
    : CLI::App("A Kubernetes API server over etcd or an embedded store", "apiserver", parent) {
  const auto list = [this](const char* name, std::vector<std::string>& into, const char* what) {
    add_option(name, into, what)->delimiter(',');
  };
  add_option("--data-dir", flags.data_dir, "embedded store, keys, certificates and admin.conf")
      ->capture_default_str();
  list("--etcd-servers", flags.etcd_servers, "etcd instead of the embedded store");
  add_option("--etcd-cafile", flags.etcd_cafile, "authority of etcd's certificates");
  add_option("--etcd-certfile", flags.etcd_certfile, "client certificate for etcd");
  add_option("--etcd-keyfile", flags.etcd_keyfile, "its key");
  add_option("--etcd-compaction-interval", flags.etcd_compaction_interval, kCompactionHelp);
  add_option("--bind-address", flags.bind_address, "IP address to listen on")
      ->capture_default_str();
  add_option("--secure-port", flags.secure_port, "0 picks a free one")->capture_default_str();
  add_option("--advertise-address", flags.advertise_address,
             "in the endpoints of the service kubernetes");
  add_option("--token-auth-file", flags.token_auth_file, "CSV: token,user,uid,\"groups\"");
  add_option("--client-ca-file", flags.client_ca_file,
             "authorities of client certificates; default: its own");
  add_option("--tls-cert-file", flags.tls_cert_file,
             "serving certificate; default: one of its own authority");
  add_option("--tls-private-key-file", flags.tls_private_key_file, "its key");
  list("--authorization-mode", flags.authorization_mode,
       "AlwaysAllow, AlwaysDeny, Node, RBAC; default Node,RBAC");
  add_option("--service-cluster-ip-range", flags.service_cluster_ip_range, "IPv4 range")
      ->capture_default_str();
  add_option("--service-node-port-range", flags.service_node_port_range, "MIN-MAX")
      ->capture_default_str();
  list("--service-account-issuer", flags.service_account_issuer,
       "the first signs, all are accepted");
  add_option("--service-account-signing-key-file", flags.service_account_signing_key_file,
             "private key");
  list("--service-account-key-file", flags.service_account_key_file,
       "keys that verify; repeatable");
  add_option("--kubelet-certificate-authority", flags.kubelet_certificate_authority,
             "authorities of kubelets' certificates; default: whoever answers is believed");
  add_option("--kubelet-client-certificate", flags.kubelet_client_certificate,
             "shown to kubelets; default: one of its own authority");
  add_option("--kubelet-client-key", flags.kubelet_client_key, "its key");
  list("--kubelet-preferred-address-types", flags.kubelet_preferred_address_types,
       "of nodes; default Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP");
  list("--api-audiences", flags.api_audiences, "default: the issuers");
  list("--enable-admission-plugins", flags.enable_admission_plugins, "beside the default ones");
  list("--disable-admission-plugins", flags.disable_admission_plugins, "of the default ones");
  add_option("--admission-control-config-file", flags.admission_control_config_file,
             "AdmissionConfiguration: PodSecurity, ResourceQuota, EventRateLimit, webhooks");
  add_option("--encryption-provider-config", flags.encryption_provider_config,
             "EncryptionConfiguration: which resources are encrypted in the store, with which keys");
  add_flag("--encryption-provider-config-automatic-reload{true}", flags.encryption_provider_config_automatic_reload,
           "look once a minute whether it has changed");
  add_option("--audit-log-path", flags.audit_log_path, "who asked for what, as JSON lines; - is standard output");
  add_option("--audit-policy-file", flags.audit_policy_file, "what is written there; default: metadata of all requests");
  add_option("--audit-log-maxsize", flags.audit_log_maxsize, "megabytes, then the file is set aside; 0: 100");
  add_option("--audit-log-maxbackup", flags.audit_log_maxbackup, "files set aside that are kept; 0: all");
  add_option("--audit-log-maxage", flags.audit_log_maxage, "days for which they are kept; 0: any number");
  add_flag("--enable-bootstrap-token-auth{true}", flags.enable_bootstrap_token_auth, "secrets of kube-system that are bootstrap tokens");
  add_flag("--allow-privileged{true}", flags.allow_privileged, "allow privileged containers");
  add_flag("--anonymous-auth{true}", flags.anonymous_auth,
           "requests without credentials are system:anonymous");
  add_limits();
  footer(
      "Prints one line of JSON when it answers; SIGTERM ends it gracefully.\n"
      "Example:\n  orrery apiserver --data-dir state --secure-port 6443\n"
      "  kubectl --kubeconfig state/admin.conf get namespaces");
}

void ApiserverCommand::add_limits() {
  add_flag("--enable-priority-and-fairness{true}", flags.enable_priority_and_fairness,
           "flow schemas and priority levels decide who is served");
  add_option("--max-requests-inflight", flags.max_requests_inflight, "reads at once, 0: any number; with fairness a part of all seats")
      ->capture_default_str();
  add_option("--max-mutating-requests-inflight", flags.max_mutating_requests_inflight, "writes at once, likewise")
      ->capture_default_str();
  add_option("--goaway-chance", flags.goaway_chance,
             "of an HTTP/2 answer to be the last of its connection, so that clients spread over several servers; 0 to 0.02")
      ->capture_default_str();
  add_option("--request-timeout", flags.request_timeout, "for all requests but watches")->capture_default_str();
}

UpCommand::UpCommand(CLI::App* parent)
    : CLI::App("A control plane in one process: API server, scheduler and controllers", "up", parent) {
  flags.control_plane = true;
  add_option("--data-dir", flags.data_dir, "state, keys, certificates and admin.conf")->capture_default_str();
  add_option("--bind-address", flags.bind_address, "IP address to listen on")->capture_default_str();
  add_option("--secure-port", flags.secure_port, "0 picks a free one")->capture_default_str();
  add_option("--etcd-servers", flags.etcd_servers, "etcd instead of the embedded store")->delimiter(',');
  add_option("--etcd-compaction-interval", flags.etcd_compaction_interval, kCompactionHelp);
  add_flag("--control-plane-only", control_plane_only, "without a kubelet on this machine; required: there is none yet")
      ->required();
  footer(
      "Prints one line of JSON when it answers; SIGTERM ends it gracefully; state is kept.\n"
      "Example:\n  orrery up --control-plane-only --data-dir state\n"
      "  kubectl --kubeconfig state/admin.conf create deployment web --image=nginx");
}

}  // namespace

void add_commands(CLI::App& app) {
  app.add_subcommand(std::make_shared<ApiserverCommand>(&app));
  app.add_subcommand(std::make_shared<UpCommand>(&app));
}

std::optional<int> run_command(const CLI::App& app) {
  if (app.got_subcommand("up")) return run_apiserver(dynamic_cast<const UpCommand*>(app.get_subcommand("up"))->flags);
  if (!app.got_subcommand("apiserver")) return std::nullopt;
  const auto* command = dynamic_cast<const ApiserverCommand*>(app.get_subcommand("apiserver"));
  return run_apiserver(command->flags);
}

}  // namespace orrery::realmode
