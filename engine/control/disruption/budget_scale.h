#pragma once

#include <functional>
#include <optional>

#include "engine/api/object.h"

namespace orrery::control {

/// How many pods a controller of pods wants.
struct ControllerScale {
  Str uid;
  int32_t replicas = 0;
};

/// A workload by kind, namespace and name; nullptr: there is none.
using WorkloadLookup =
    std::function<const api::Object*(const api::KindDesc&, const Str& ns, const Str& name)>;

/// What the controller that a pod names is scaled to: a ReplicationController, the Deployment of a
/// ReplicaSet, a ReplicaSet of its own, or a StatefulSet. nullopt: it is none of these, or not
/// there. Kubernetes v1.32 pkg/controller/disruption, finders().
std::optional<ControllerScale> scale_of_controller(const metav1::OwnerReference& controller,
                                                   const Str& ns, const WorkloadLookup& lookup);

}  // namespace orrery::control
