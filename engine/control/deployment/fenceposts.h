#pragma once

#include <cstdint>
#include <span>

#include "engine/api/gen/appsv1.h"
#include "engine/api/object.h"
#include "engine/base/status.h"

namespace orrery::control {

/// How far a rolling update may go beyond and below the wanted number of pods.
/// Kubernetes v1.32 pkg/controller/deployment/util.
struct Fenceposts {
  int32_t max_surge = 0;
  int32_t max_unavailable = 0;
};

/// maxSurge rounded up, maxUnavailable rounded down; 1 unavailable if both come to 0.
Result<Fenceposts> resolve_fenceposts(const appsv1::RollingUpdateDeployment& strategy,
                                      int32_t replicas);

bool is_rolling_update(const appsv1::DeploymentSpec& spec);
/// 0 where they mean nothing: another strategy, or no replicas (max_unavailable).
int32_t max_surge(const appsv1::DeploymentSpec& spec);
int32_t max_unavailable(const appsv1::DeploymentSpec& spec);

int32_t replicas_of(const api::Object& replica_set);
/// Sums over ReplicaSets; null objects count nothing.
int32_t spec_replicas(std::span<const api::Object> replica_sets);
int32_t actual_replicas(std::span<const api::Object> replica_sets);
int32_t ready_replicas(std::span<const api::Object> replica_sets);
int32_t available_replicas(std::span<const api::Object> replica_sets);

/// The size that the newest ReplicaSet, of `current` replicas, may have next, when all have
/// `total`.
Result<int32_t> new_replicas(const appsv1::DeploymentSpec& spec, int32_t total, int32_t current);

/// How much of `to_add` replicas (negative: to remove) goes to this ReplicaSet when the Deployment
/// is scaled in mid-rollout, `added` having been given out already.
int32_t proportion(const api::Object& replica_set, const appsv1::Deployment& deployment,
                   int32_t to_add, int32_t added);

}  // namespace orrery::control
