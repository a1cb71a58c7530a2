#include <algorithm>
#include <utility>

#include "engine/control/deployment/conditions.h"
#include "engine/control/deployment/fenceposts.h"
#include "engine/control/deployment/revisions.h"
#include "engine/control/deployment/rollout.h"

namespace orrery::control {

/// One step of a rolling update: grow the newest, or shrink the others, or clean up.
Status Rollout::roll() {
  Generations generations;
  ORRERY_TRY(split(true, generations));
  ORRERY_ASSIGN(const bool grown, grow_newest(generations));
  if (grown || shrink_old(generations)) return write_rollout_status(generations);
  if (is_complete(deployment(), *deployment().status)) ORRERY_TRY(clean_up(generations.old));
  return write_rollout_status(generations);
}

Result<bool> Rollout::grow_newest(const Generations& generations) {
  const int32_t size = replicas_of(generations.newest);
  if (size == wanted()) return false;
  int32_t target = wanted();
  if (size < wanted()) {
    ORRERY_ASSIGN(target, new_replicas(spec(), spec_replicas(generations.all()), size));
  }
  bool scaled = false;
  ORRERY_TRY(scale_to(generations.newest, target, &scaled).status());
  return scaled;
}

/// Failures count as "nothing done": the status is written all the same, and tells.
bool Rollout::shrink_old(const Generations& generations) {
  std::vector<api::Object> old = active_only(generations.old);
  if (spec_replicas(old) == 0) return false;
  const int32_t available_min = wanted() - max_unavailable(spec());
  const int32_t newest_unavailable =
      replicas_of(generations.newest) -
      generations.newest.get<appsv1::ReplicaSet>().status->available_replicas;
  const int32_t removable = spec_replicas(generations.all()) - available_min - newest_unavailable;
  if (removable <= 0) return false;
  const Result<int32_t> unhealthy = drop_unhealthy(old, removable);
  if (!unhealthy) return false;
  const Result<int32_t> available = drop_available(old, generations.newest);
  return available && *unhealthy + *available > 0;
}

/// Pods that serve nobody go first, at no loss, so that a rollout does not wait for them.
Result<int32_t> Rollout::drop_unhealthy(std::vector<api::Object>& old, int32_t limit) {
  sort_by_creation(old);
  int32_t dropped = 0;
  for (api::Object& object : old) {
    if (dropped >= limit) break;
    const int32_t size = replicas_of(object);
    const int32_t unhealthy = size - object.get<appsv1::ReplicaSet>().status->available_replicas;
    if (size == 0 || unhealthy == 0) continue;
    const int32_t count = std::min(limit - dropped, unhealthy);
    if (count < 0)
      return invalid(
          str_cat("when cleaning up unhealthy replicas, got invalid request to scale "
                  "down ",
                  api::object_key(object.meta()), ' ', size, " -> ", size - count));
    ORRERY_ASSIGN(object, scale_to(object, size - count));
    dropped += count;
  }
  return dropped;
}

Result<int32_t> Rollout::drop_available(std::vector<api::Object>& old, const api::Object& newest) {
  const int32_t available_min = wanted() - max_unavailable(spec());
  const int32_t available = available_replicas(old) + available_replicas(std::span(&newest, 1));
  const int32_t spare = available - available_min;
  if (spare <= 0) return 0;
  sort_by_creation(old);
  int32_t dropped = 0;
  for (const api::Object& object : old) {
    if (dropped >= spare) break;
    const int32_t size = replicas_of(object);
    if (size == 0) continue;
    const int32_t count = std::min(size, spare - dropped);
    ORRERY_TRY(scale_to(object, size - count).status());
    dropped += count;
  }
  return dropped;
}

}  // namespace orrery::control
