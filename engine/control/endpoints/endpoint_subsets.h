#pragma once

#include <vector>

#include "engine/api/gen/corev1.h"

namespace orrery::control {

/// Endpoints as they are written: subsets of addresses that offer the same ports, in an order that
/// does not depend on that of the pods.

/// One address with one port, or, of a headless Service, with none.
struct OneEndpoint {
  corev1::EndpointAddress address;
  std::vector<corev1::EndpointPort> ports;
  bool ready = false;
  /// Where the ports were read. The reference tells ports with an appProtocol apart by where they
  /// are in memory: of two places they are never the same.
  size_t source = 0;
};

/// Source: Kubernetes v1.32 pkg/api/v1/endpoints/util.go (RepackSubsets): addresses by IP and UID,
/// ports and subsets by the MD5 of their dumps.
List<corev1::EndpointSubset> repack(const std::vector<OneEndpoint>& endpoints);

/// The most addresses that one object may have.
inline constexpr size_t kAddressesMax = 1000;
size_t address_count(const List<corev1::EndpointSubset>& subsets);
/// Cuts the subsets down to kAddressesMax, in proportion to their sizes, addresses that are ready
/// first. False: there was nothing to cut.
/// Source: Kubernetes v1.32 pkg/controller/endpoint/endpoints_controller.go (truncateEndpoints).
bool truncate(List<corev1::EndpointSubset>& subsets);

}  // namespace orrery::control
