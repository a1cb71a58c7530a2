#pragma once

#include <span>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/time.h"

namespace orrery::control {

/// The `count` of `pods` that go first when a ReplicaSet shrinks, most dispensable first:
/// unassigned, by phase, not ready, cheap to delete (annotation
/// controller.kubernetes.io/pod-deletion-cost), many active `related` pods (all of the same
/// Deployment) on the node, ready for less time, more restarts, younger; times in logarithmic
/// buckets with the uid as tie-break. Kubernetes v1.32 pkg/controller, ActivePodsWithRanks.
std::vector<api::Object> pods_to_delete(std::span<const api::Object> pods,
                                        std::span<const api::Object> related, size_t count,
                                        Time now);

/// The value of the annotation; 0 if absent or no canonical int32.
int32_t deletion_cost(const metav1::ObjectMeta& meta);

}  // namespace orrery::control
