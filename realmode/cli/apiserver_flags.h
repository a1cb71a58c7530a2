#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/server/options.h"
#include "realmode/daemon/api_daemon.h"

namespace orrery::realmode {

/// The flags of `orrery apiserver` as given. Names and meaning are those of kube-apiserver v1.32;
/// flags that it does not have: --data-dir.
struct ApiserverFlags {
  bool control_plane = false;  // with scheduler and controllers in the same process
  std::string data_dir = "orrery-data";
  std::vector<std::string> etcd_servers;
  std::string etcd_cafile, etcd_certfile, etcd_keyfile;
  std::string etcd_compaction_interval = "5m0s";  // of the embedded store too
  std::string bind_address = "127.0.0.1";  // kube-apiserver: 0.0.0.0
  int secure_port = 6443;
  std::string advertise_address;
  std::string token_auth_file;
  std::string client_ca_file;
  std::string tls_cert_file, tls_private_key_file;
  std::vector<std::string> authorization_mode = {"Node", "RBAC"};  // kube-apiserver: AlwaysAllow
  std::string service_cluster_ip_range = "10.0.0.0/24";
  std::vector<std::string> service_account_issuer;
  std::string service_account_signing_key_file;
  std::vector<std::string> service_account_key_file;
  std::vector<std::string> api_audiences;
  std::string kubelet_certificate_authority, kubelet_client_certificate, kubelet_client_key;
  std::vector<std::string> kubelet_preferred_address_types;  // empty: kube-apiserver's default
  std::string service_node_port_range = "30000-32767";
  bool allow_privileged = false;
  std::vector<std::string> enable_admission_plugins, disable_admission_plugins;
  std::string admission_control_config_file;
  std::string encryption_provider_config;
  bool encryption_provider_config_automatic_reload = false;
  std::string audit_log_path, audit_policy_file;
  int audit_log_maxage = 0, audit_log_maxbackup = 0, audit_log_maxsize = 0;
  bool enable_bootstrap_token_auth = false;
  bool anonymous_auth = false;  // kube-apiserver: true
  bool enable_priority_and_fairness = true;
  int max_requests_inflight = 400, max_mutating_requests_inflight = 200;
  std::string request_timeout = "1m0s";
  double goaway_chance = 0;
};

/// Checks the values and reads the token file. Keys and certificates are not read here. Invalid,
/// with the flag's name, for values that kube-apiserver would refuse and for what is not there yet.
Result<server::ServerOptions> server_options(const ApiserverFlags& flags);

/// How often the store forgets its past.
Status read_compaction(const ApiserverFlags& flags, ApiDaemon::Options& options);

/// The audit log's part of the flags.
Status read_audit(const ApiserverFlags& flags, ApiDaemon::Options& options);

}  // namespace orrery::realmode
