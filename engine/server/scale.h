#pragma once

#include "engine/api/object.h"

namespace orrery::server {

/// The scale subresource of a Deployment, ReplicaSet, StatefulSet or ReplicationController as
/// autoscaling/v1 Scale. CHECK: another kind.
api::Object scale_of(const api::Object& object);

/// Sets spec.replicas of such an object.
void set_replicas(api::Object& object, int32_t replicas);

}  // namespace orrery::server
