#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/base/rng.h"
#include "engine/server/auth/object_reader.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// "scheme:name:port", "name:port" or "name": how pods, services and nodes are named to a proxy.
/// Source: Kubernetes v1.32 apimachinery/pkg/util/net SplitSchemeNamePort.
struct ProxyName {
  std::string scheme;  // "", http or https
  std::string name;
  std::string port;
};
std::optional<ProxyName> split_proxy_name(std::string_view text);

/// Where the traffic of a proxy goes.
struct ProxyLocation {
  bool tls = false;
  std::string host;
  int port = 0;
};

/// Of a pod: its first address, at the port asked for or the first that a container has.
/// Source: Kubernetes v1.32 pkg/registry/core/pod/strategy.go ResourceLocation.
Result<ProxyLocation> pod_location(const ProxyName& asked, const corev1::Pod& pod);
/// Of a service: one of its endpoints that is a pod; `seed` chooses where to begin.
/// Source: Kubernetes v1.32 pkg/registry/core/service/storage/storage.go ResourceLocation.
Result<ProxyLocation> service_location(const ProxyName& asked, std::string_view id,
                                       std::string_view ns, const ObjectReader& objects,
                                       uint64_t seed);

}  // namespace orrery::server
