#pragma once

#include <vector>

#include "engine/api/gen/rbacv1.h"
#include "engine/api/object.h"

namespace orrery::server {

/// Field manager and user agent of what the API server writes by itself.
inline constexpr std::string_view kBootstrapManager = "kube-apiserver";

/// What the API server makes at its start, if it is not there yet, in the order of creation: system
/// namespaces, flow schemas and priority levels, RBAC policy (the rules of admin, edit and view are
/// filled by the aggregation controller), priority classes, API services (their status is set on
/// creation, as for any local API service).
std::vector<api::Object> bootstrap_objects();

/// Where clients find this API server.
struct KubernetesService {
  Str cluster_ip;       // the first address of the service range, e.g. 10.96.0.1
  Str address;          // --advertise-address
  int32_t port = 6443;  // --secure-port
};
/// Service `kubernetes` in namespace default, its Endpoints and its EndpointSlice (without them if
/// the address is a loopback address).
std::vector<api::Object> kubernetes_service(const KubernetesService& options);

/// The rules of the cluster role system:node: what any kubelet may do.
List<rbacv1::PolicyRule> node_rules();

}  // namespace orrery::server
