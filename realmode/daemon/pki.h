#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "realmode/crypto/certificates.h"

namespace orrery::realmode {

/// Keys and certificates of a cluster, as files:
///   ca.crt, ca.key                certificate authority of servers and clients
///   apiserver.crt, apiserver.key  what the API server shows
///   admin.crt, admin.key          a client in system:masters
///   apiserver-kubelet-client.crt, .key  what the API server shows to kubelets
///   sa.key, sa.pub                signs service account tokens (RSA 2048)
struct Pki {
  std::string authority_pem;
  Identity apiserver;
  Identity admin;
  Identity kubelet_client;
  std::string service_account_key_pem;
};

/// Reads the files of `folder` and makes those that are missing, do not belong together, expire
/// within 30 days or do not hold for all of `addresses` (numeric) and for the names under which the
/// API server is known: localhost, kubernetes, kubernetes.default[.svc[.cluster.local]]. The
/// authority and the service account key are never replaced.
Result<Pki> ensure_pki(const std::string& folder, const std::vector<std::string>& addresses,
                       Time now);

/// A kubeconfig with one cluster, user and context named "orrery"; everything is embedded.
std::string kubeconfig(const std::string& url, const std::string& authority_pem,
                       const Identity& client);

}  // namespace orrery::realmode
