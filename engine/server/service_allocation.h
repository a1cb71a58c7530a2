#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "engine/api/gen/corev1.h"
#include "engine/base/rng.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// Where addresses and ports of services come from.
struct ServiceRanges {
  std::string cidr;  // IPv4, e.g. 10.96.0.0/16
  int node_port_min = 0;
  int node_port_max = 0;
};

/// The addresses of a range that services may have: all but the network's own and the last.
struct AddressRange {
  uint32_t first = 0;
  uint32_t count = 0;
  static AddressRange of(std::string_view cidr);
  bool holds(uint32_t address) const { return address - first < count; }
};

/// Cluster IPs (as numbers) and node ports in use.
struct TakenByServices {
  std::unordered_set<uint32_t> addresses;
  std::unordered_set<uint32_t> ports;
  void add(const corev1::Service& service);
  void remove(const corev1::Service& service);
};

/// Fills in what a Service is given by the cluster: IP families, cluster IP, node ports, health
/// check port; takes back what its type does not have any more. `old` is null on creation. What is
/// asked for must be free and in range; findings are those of Kubernetes' allocators. `taken` is what
/// others have. A dry run gets node ports that cannot be.
/// Source: Kubernetes v1.32 pkg/registry/core/service/storage/alloc.go.
FieldErrors allocate_service(corev1::Service& service, const corev1::Service* old, const ServiceRanges& ranges,
                             TakenByServices taken, RngStream& rng, bool dry_run = false);

}  // namespace orrery::server
