#pragma once

#include <string>

#include "engine/api/gen/corev1.h"
#include "engine/base/rng.h"
#include "engine/server/auth/object_reader.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// Where addresses and ports of services come from.
struct ServiceRanges {
  std::string cidr;  // IPv4, e.g. 10.96.0.0/16
  int node_port_min = 0;
  int node_port_max = 0;
};

/// Fills in what a Service is given by the cluster: IP families, cluster IP, node ports, health
/// check port; takes back what its type does not have any more. `old` is null on creation. What is
/// asked for must be free and in range; findings are those of Kubernetes' allocators. Addresses and
/// ports are unique among all services in `objects`.
/// Source: Kubernetes v1.32 pkg/registry/core/service/storage/alloc.go.
FieldErrors allocate_service(corev1::Service& service, const corev1::Service* old, const ServiceRanges& ranges,
                             const ObjectLister& objects, RngStream& rng);

}  // namespace orrery::server
