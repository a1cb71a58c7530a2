#pragma once

#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/discoveryv1.h"
#include "engine/api/object.h"

namespace orrery::control {

inline constexpr std::string_view kMirroringController = "endpointslicemirroring-controller.k8s.io";

/// What the mirrored slices of one Endpoints object follow from.
struct MirrorInputs {
  Str ns, name;
  api::Object endpoints;  // null: there is nothing to mirror, and no slice may be left
  std::vector<discoveryv1::EndpointSlice> slices;  // of this controller
  size_t addresses_max = 1000;                     // of one subset
  bool stale = false;                              // the cache has not seen what was written last
};

/// What is to be written and deleted, and what could not be mirrored.
struct MirrorPlan {
  std::vector<discoveryv1::EndpointSlice> create, update;
  std::vector<Str> remove;
  size_t invalid = 0;  // addresses that are no IP addresses
  size_t skipped = 0;  // addresses left out: these, and more than addresses_max of a subset
};

/// One slice for each subset and address family. A slice that is to go is used for one that is to
/// be made. Source: Kubernetes v1.32 pkg/controller/endpointslicemirroring/reconciler.go.
MirrorPlan plan_mirror(const MirrorInputs& in);

/// The object is one whose author wants slices of it: not of a leader election, and without the
/// label endpointslice.kubernetes.io/skip-mirror=true.
bool should_mirror(const api::Object& endpoints);

}  // namespace orrery::control
