#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/discoveryv1.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

using Slices = std::vector<discoveryv1::EndpointSlice>;

/// What is to become of the slices of one address family.
struct SliceChanges {
  Slices create, update, unchanged;
  std::vector<discoveryv1::EndpointSlice> remove;
};

/// A share of the cluster's processors for each zone; nullopt: the nodes do not tell enough.
using ZoneShares = std::optional<std::map<Str, double>>;
/// Source: Kubernetes v1.32 endpointslice/topologycache (SetNodes).
ZoneShares zone_shares(const std::vector<api::Object>& nodes);

/// The endpoints that each zone is told to use.
using ZoneHints = std::map<Str, int>;
struct HintEvent {
  Str type, reason;
  std::string message;
};

/// The Service asks for hints by its annotation service.kubernetes.io/topology-mode.
bool wants_topology_hints(const corev1::Service& service);
/// Distributes the ready endpoints over the zones by their shares. nullopt: that cannot be done, which
/// the events say, and there are no hints. `had_hints`: there were some before.
/// Source: Kubernetes v1.32 endpointslice/topologycache (AddHints).
std::optional<ZoneHints> add_topology_hints(SliceChanges& changes, const ZoneShares& shares, std::string_view address_type,
                                            bool had_hints, std::vector<HintEvent>& events);
/// No endpoint has a hint any more.
void remove_hints(SliceChanges& changes);
/// trafficDistribution PreferClose: every ready endpoint is for its own zone.
/// Source: Kubernetes v1.32 endpointslice/trafficdist.
void add_close_hints(SliceChanges& changes);

}  // namespace orrery::control
