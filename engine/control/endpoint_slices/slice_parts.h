#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/api/gen/discoveryv1.h"
#include "engine/api/object.h"

namespace orrery::control {

/// What the controllers of EndpointSlices have in common.
/// Source: Kubernetes v1.32 endpointslice/util.

inline const Str kServiceName = Str::literal("kubernetes.io/service-name");
inline const Str kManagedBy = Str::literal("endpointslice.kubernetes.io/managed-by");

/// "namespace/service" of a slice; "": of none.
Str service_of_slice(const api::Object& slice);
/// The generateName of slices.
Str slice_name_prefix(const Str& service);
/// Slices are grouped by it: the ports in any order.
std::string ports_key(const List<discoveryv1::EndpointPort>& ports);
/// What makes an endpoint the same one: addresses, host name, whom it stands for.
std::string endpoint_key(const discoveryv1::Endpoint& endpoint);
/// The rest of it is the same too.
bool same_state(const discoveryv1::Endpoint& a, const discoveryv1::Endpoint& b);

/// What a controller has written of the slices of each Service, to know whether its cache has seen
/// it. Plain state.
class SliceTracker {
 public:
  void forget(const Str& service) { written_.erase(service); }
  void written(const Str& service, const discoveryv1::EndpointSlice& slice) {
    written_[service][slice.metadata->name] = slice.metadata->generation;
  }
  /// It is to be deleted, or has been.
  void removed(const Str& service, const Str& slice);
  /// The slices of the cache are older than what has been written.
  bool is_stale(const Str& service, const std::vector<discoveryv1::EndpointSlice>& slices) const;

 private:
  std::map<Str, std::map<Str, int64_t>> written_;  // by Service: names of slices, generations
};

}  // namespace orrery::control
