#pragma once

#include <string_view>

#include "engine/api/object.h"

namespace orrery::server {

/// The scale subresource of a Deployment, ReplicaSet, StatefulSet or ReplicationController as
/// autoscaling/v1 Scale. CHECK: another kind.
api::Object scale_of(const api::Object& object);

/// The same, with the managers that own the object's replicas.
api::Object managed_scale_of(const api::Object& object);

/// Sets spec.replicas of such an object.
void set_replicas(api::Object& object, int32_t replicas);
/// Takes over the managers of a Scale that was written through a request of `api_version`.
void set_scale_managers(api::Object& object, const api::Object& scale, std::string_view api_version);

}  // namespace orrery::server
