#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/api/gen/corev1.h"

namespace orrery::control {

/// How a zone's nodes fare as a whole. kUnknown: no pass has looked at it yet.
enum class ZoneState : uint8_t { kUnknown, kNormal, kPartialDisruption, kFullDisruption };
std::string_view zone_state_name(ZoneState state);  // "", Normal, PartialDisruption, ...

/// Nodes of a zone by their condition Ready.
struct ZoneCount {
  int64_t ready = 0;
  int64_t unhealthy = 0;  // False, Unknown or absent
  int64_t size() const { return ready + unhealthy; }
};

/// Settings of kube-controller-manager; rates in nodes per second.
struct EvictionRates {
  double normal = 0.1;                // --node-eviction-rate
  double reduced = 0.01;              // --secondary-node-eviction-rate
  int64_t large_zone = 50;            // --large-cluster-size-threshold
  double unhealthy_threshold = 0.55;  // --unhealthy-zone-threshold

  ZoneState state_of(const ZoneCount& zone) const;
  /// The rate in a partially disrupted zone of that size.
  double reduced_rate(int64_t zone_size) const { return zone_size > large_zone ? reduced : 0; }
  double rate_of(ZoneState state, int64_t zone_size) const;
};

/// Region and zone of a node as one key, "" if it has neither label.
/// Kubernetes v1.32 component-helpers, GetZoneKey.
std::string zone_key(const corev1::Node& node);

}  // namespace orrery::control
