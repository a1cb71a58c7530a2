#include <algorithm>
#include <utility>

#include "engine/control/deployment/conditions.h"
#include "engine/control/deployment/fenceposts.h"
#include "engine/control/deployment/revisions.h"
#include "engine/control/deployment/rollout.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

/// The one ReplicaSet whose size follows the Deployment's: the only active one, or, if none is, the
/// newest. Null if several are active. Leaves `old` sorted newest first.
api::Object active_or_latest(const api::Object& newest, std::vector<api::Object>& old) {
  if (!newest && old.empty()) return {};
  sort_newest_first(old);
  std::vector<api::Object> all = old;
  all.push_back(newest);
  const std::vector<api::Object> active = active_only(all);
  if (active.size() > 1) return {};
  if (active.size() == 1) return active[0];
  return newest ? newest : old[0];
}

/// All that the Deployment wants is there, of the present template.
bool is_saturated(const api::Object& newest, int32_t wanted) {
  if (!newest) return false;
  const auto desired = desired_replicas_annotation(newest);
  return desired && *desired == wanted && replicas_of(newest) == wanted &&
         newest.get<appsv1::ReplicaSet>().status->available_replicas == wanted;
}

}  // namespace

Status Rollout::scale_only() {
  Generations generations;
  ORRERY_TRY(split(false, generations));
  ORRERY_TRY(scale_all(generations));
  if (spec().paused && !rollback_target()) ORRERY_TRY(clean_up(generations.old));
  return write_status_only(generations);
}

Status Rollout::scale_all(Generations& generations) {
  if (const api::Object one = active_or_latest(generations.newest, generations.old))
    return scale_to(one, wanted()).status();
  if (is_saturated(generations.newest, wanted())) {
    for (const api::Object& object : active_only(generations.old))
      ORRERY_TRY(scale_to(object, 0).status());
    return Status();
  }
  return is_rolling_update(spec()) ? scale_proportionally(generations) : Status();
}

Status Rollout::scale_proportionally(const Generations& generations) {
  std::vector<api::Object> active = active_only(generations.all());
  const int32_t allowed = wanted() > 0 ? wanted() + max_surge(spec()) : 0;
  const int32_t to_add = allowed - spec_replicas(active);
  if (to_add > 0) sort_largest_then_newest(active);
  if (to_add < 0) sort_largest_then_oldest(active);
  std::vector<int32_t> sizes;
  int32_t added = 0;
  for (const api::Object& object : active) {
    const int32_t share = to_add != 0 ? proportion(object, deployment(), to_add, added) : 0;
    sizes.push_back(replicas_of(object) + share);
    added += share;
  }
  // What rounding has left over goes to (or comes from) the largest.
  if (to_add != 0 && !sizes.empty()) sizes[0] = std::max(0, sizes[0] + to_add - added);
  for (size_t i = 0; i < active.size(); ++i)
    ORRERY_TRY(write_scale(active[i], sizes[i], nullptr).status());
  return Status();
}

Result<api::Object> Rollout::scale_to(const api::Object& replica_set, int32_t size, bool* scaled) {
  if (replicas_of(replica_set) == size) return replica_set;
  return write_scale(replica_set, size, scaled);
}

Result<api::Object> Rollout::write_scale(const api::Object& replica_set, int32_t size,
                                         bool* scaled) {
  const int32_t before = replicas_of(replica_set);
  const int32_t max = wanted() + max_surge(spec());
  if (before == size && !replicas_annotations_differ(replica_set, wanted(), max))
    return replica_set;
  const ApiResponse& written = log_.call([&] {
    api::Object copy = replica_set;
    copy.mut<appsv1::ReplicaSet>().spec.mut().replicas = size;
    set_replicas_annotations(copy, wanted(), max);
    return update_request(std::move(copy));
  });
  if (!written.status) return written.status;
  if (before != size) {
    if (scaled) *scaled = true;
    log_.event(in_.deployment, "Normal", "ScalingReplicaSet",
               str_cat("Scaled ", before < size ? "up" : "down", " replica set ",
                       replica_set.meta().name, " from ", before, " to ", size));
  }
  return written.object;
}

/// Deletes the empty ReplicaSets of the oldest revisions, beyond revisionHistoryLimit.
Status Rollout::clean_up(const std::vector<api::Object>& old) {
  const auto& limit = spec().revision_history_limit;
  if (!limit || *limit == INT32_MAX) return Status();
  std::vector<api::Object> deletable;
  for (const api::Object& object : old)
    if (!object.meta().deletion_timestamp) deletable.push_back(object);
  const auto excess = static_cast<int64_t>(deletable.size()) - *limit;
  sort_by_revision(deletable);
  for (int64_t i = 0; i < excess; ++i) {
    const auto& rs = deletable[static_cast<size_t>(i)].get<appsv1::ReplicaSet>();
    if (rs.status->replicas != 0 || rs.spec->replicas.value_or(0) != 0 ||
        rs.metadata->generation > rs.status->observed_generation)
      continue;
    const Status& status = log_.call([&] {
                                 return delete_request(kind_of<appsv1::ReplicaSet>(),
                                                       rs.metadata->namespace_, rs.metadata->name);
                               })
                               .status;
    if (!status && status.code() != Code::kNotFound) return status;
  }
  return Status();
}

}  // namespace orrery::control
