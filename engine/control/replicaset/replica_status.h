#pragma once

#include <span>

#include "engine/api/gen/appsv1.h"
#include "engine/api/label_selector.h"
#include "engine/api/object.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery::control {

/// Of the active pods that belong to a ReplicaSet.
struct PodCounts {
  int32_t replicas = 0;
  int32_t fully_labeled = 0;  // carry all labels of the template
  int32_t ready = 0;
  int32_t available = 0;
};

PodCounts count_pods(const appsv1::ReplicaSetSpec& spec, std::span<const api::Object> pods,
                     Time now);

/// The status that follows: counts, and the condition ReplicaFailure while creating or deleting
/// pods fails (`managed`).
appsv1::ReplicaSetStatus replica_status(const appsv1::ReplicaSet& rs, const PodCounts& counts,
                                        const Status& managed, Time now);

/// True if writing `fresh` would change nothing that counts.
bool same_replica_status(const appsv1::ReplicaSet& rs, const appsv1::ReplicaSetStatus& fresh);

}  // namespace orrery::control
