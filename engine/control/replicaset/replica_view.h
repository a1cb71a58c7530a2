#pragma once

#include "engine/api/gen/appsv1.h"
#include "engine/api/object.h"

namespace orrery::control {

/// ReplicaSets and ReplicationControllers behave alike: the controller works on ReplicaSets, and
/// these two translate at its edges.

/// `object` itself, or a ReplicationController as a ReplicaSet.
api::Object as_replica_set(const api::Object& object);
/// `object` (of either kind) with another status.
api::Object with_replica_status(const api::Object& object, const appsv1::ReplicaSetStatus& status);

}  // namespace orrery::control
