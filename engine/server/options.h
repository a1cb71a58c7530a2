#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/server/admission/settings.h"
#include "engine/server/encryption/encryption_config.h"

namespace orrery::server {

/// Who answers whether a request is allowed; asked in order until one has an opinion.
enum class AuthorizationMode : uint8_t { kAlwaysAllow, kAlwaysDeny, kNode, kRbac };

/// A line of --token-auth-file: token,user,uid,"group1,group2".
struct StaticToken {
  std::string token;
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
};

/// Everything about an API server that is chosen from outside: the flags of kube-apiserver v1.32 as
/// plain data. Files have been read: what is named "..._pem" or "..._config" is content, not a
/// path. Defaults are those of `orrery apiserver`.
struct ServerOptions {
  // Who asks.
  bool anonymous_auth = false;
  std::vector<StaticToken> tokens;
  bool bootstrap_tokens = false;
  bool client_certificates = false;  // verified by the transport: user = CN, groups = O

  // What they may.
  std::vector<AuthorizationMode> authorization_modes = {AuthorizationMode::kNode,
                                                        AuthorizationMode::kRbac};
  bool allow_privileged = true;

  // Service account tokens. The first issuer signs; all of them are accepted.
  std::vector<std::string> service_account_issuers = {
      "https://kubernetes.default.svc.cluster.local"};
  std::vector<std::string> service_account_audiences;  // empty: the issuers
  std::string service_account_signing_key_pem;         // private
  std::vector<std::string> service_account_key_pems;   // public (or private) keys that verify

  // Services.
  std::string service_cidr = "10.0.0.0/24";
  int node_port_min = 30000;
  int node_port_max = 32767;  // inclusive

  // Admission: switches on top of the default set, by plugin name.
  std::vector<std::string> enable_admission_plugins;
  std::vector<std::string> disable_admission_plugins;
  AdmissionSettings admission;  // --admission-control-config-file

  // Storage.
  std::string storage_prefix = "/registry";
  EncryptionConfig encryption;  // --encryption-provider-config

  // Kubelets: the kinds of node addresses that they are called at, best first.
  std::vector<std::string> kubelet_preferred_address_types = {"Hostname", "InternalDNS", "InternalIP",
                                                              "ExternalDNS", "ExternalIP"};

  // Answers.
  std::string advertise_address = "127.0.0.1";  // endpoint of the service `kubernetes`
  int advertise_port = 6443;
  Duration request_timeout = Duration::seconds(60);
  // How many at once: in all if priority and fairness decide, else of each sort; 0: any number.
  bool priority_and_fairness = true;
  int max_requests_inflight = 400;
  int max_mutating_requests_inflight = 200;
  Duration watch_timeout_min =
      Duration::seconds(1800);  // a watch without timeoutSeconds: 1 to 2 times
};

}  // namespace orrery::server
