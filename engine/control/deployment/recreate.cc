#include <algorithm>
#include <utility>

#include "engine/api/pod_util.h"
#include "engine/control/deployment/conditions.h"
#include "engine/control/deployment/fenceposts.h"
#include "engine/control/deployment/revisions.h"
#include "engine/control/deployment/rollout.h"

namespace orrery::control {

/// All old pods go before the first new one comes.
Status Rollout::recreate() {
  Generations generations;
  ORRERY_TRY(split(false, generations));
  ORRERY_ASSIGN(const bool stopping, stop_old(active_only(generations.old)));
  if (stopping || old_pods_running(generations)) return write_rollout_status(generations);
  if (!generations.newest) ORRERY_TRY(split(true, generations));
  ORRERY_TRY(scale_to(generations.newest, wanted()).status());
  if (is_complete(deployment(), *deployment().status)) ORRERY_TRY(clean_up(generations.old));
  return write_rollout_status(generations);
}

Result<bool> Rollout::stop_old(std::vector<api::Object> old) {
  bool scaled = false;
  for (const api::Object& object : old) ORRERY_TRY(scale_to(object, 0, &scaled).status());
  return scaled;
}

bool Rollout::old_pods_running(const Generations& generations) const {
  if (actual_replicas(generations.old) > 0) return true;
  return std::any_of(in_.pods.begin(), in_.pods.end(), [&](const api::Object& pod) {
    const auto* controller = api::controller_of(pod.meta());
    if (!controller || api::is_pod_terminal(pod.get<corev1::Pod>())) return false;
    if (generations.newest && generations.newest.meta().uid == controller->uid) return false;
    return std::any_of(replica_sets_.begin(), replica_sets_.end(),
                       [&](const api::Object& rs) { return rs.meta().uid == controller->uid; });
  });
}

}  // namespace orrery::control
