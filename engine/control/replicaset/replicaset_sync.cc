#include <algorithm>
#include <utility>

#include "engine/control/common/claim.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/common/slow_start.h"
#include "engine/control/replicaset/replica_view.h"
#include "engine/control/replicaset/replicaset_controller.h"
#include "engine/control/replicaset/scale_down.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr int kStatusWrites = 2;  // one retry

/// Writes the status if it says something new; `owner` becomes what is stored then. `last`: nothing
/// follows a success.
Status write_status(api::Object& owner, appsv1::ReplicaSetStatus status, bool last, WriteLog& log) {
  const api::Object rs = as_replica_set(owner);
  if (same_replica_status(rs.get<appsv1::ReplicaSet>(), status)) return Status();
  status.observed_generation = owner.meta().generation;
  const Str ns = owner.meta().namespace_, name = owner.meta().name;
  const auto make = [&] { return update_request(with_replica_status(owner, status), "status"); };
  for (int attempt = 1;; ++attempt) {
    const ApiResponse& written = last ? log.call_last(make) : log.call(make);
    if (written.status) {
      owner = written.object;
      return Status();
    }
    if (attempt == kStatusWrites) return written.status;
    const ApiResponse& fresh = log.call([&] { return get_request(*owner.kind(), ns, name); });
    if (!fresh.status) return fresh.status;
    owner = fresh.object;
  }
}

/// minReadySeconds may pass without any change that would cause a sync.
void requeue_for_availability(const api::Object& owner, WriteLog& log) {
  const api::Object object = as_replica_set(owner);
  const auto& rs = object.get<appsv1::ReplicaSet>();
  const int32_t wanted = rs.spec->replicas.value_or(0);
  if (rs.spec->min_ready_seconds > 0 && rs.status->ready_replicas == wanted &&
      rs.status->available_replicas != wanted)
    log.requeue_after(Duration::seconds(rs.spec->min_ready_seconds));
}

}  // namespace

Status ReplicaSetController::sync(const ReplicaSetInputs& in, WriteLog& log) {
  if (!in.owner) {
    log.once([&] { expectations_.forget(in.key); });
    return Status();
  }
  const auto& rs = in.rs.get<appsv1::ReplicaSet>();
  if (!in.selector_valid) return Status();  // nothing that a retry could mend
  std::vector<api::Object> pods;
  PodCounts counts = in.counts;
  if (in.listed) {
    ORRERY_ASSIGN(const api::Selector selector, api::Selector::of(rs.spec->selector.get()));
    ORRERY_TRY(claim_objects(in.owner, selector, in.pods, log, pods));
    counts = count_pods(*rs.spec, pods, in.now);
  }
  Status managed;
  if (in.cache_caught_up && !rs.metadata->deletion_timestamp)
    managed = manage(in, pods, rs.spec->replicas.value_or(0) - counts.replicas, log);
  if (log.pending()) return managed;
  api::Object owner = in.owner;
  const bool last = managed.is_ok() && rs.spec->min_ready_seconds == 0;
  ORRERY_TRY(write_status(owner, replica_status(rs, counts, managed, in.now), last, log));
  if (managed) requeue_for_availability(owner, log);
  return managed;
}

Status ReplicaSetController::manage(const ReplicaSetInputs& in, std::span<const api::Object> pods,
                                    int64_t missing, WriteLog& log) {
  const int64_t count = std::min<int64_t>(std::abs(missing), burst_replicas_);
  if (missing > 0) return create_pods(in, count, log);
  if (missing < 0) return delete_pods(in, pods, count, log);
  return Status();
}

Status ReplicaSetController::create_pods(const ReplicaSetInputs& in, int64_t count, WriteLog& log) {
  log.once([&] { expectations_.expect_creations(in.key, count, in.now); });
  const auto& pod_template = *in.rs.get<appsv1::ReplicaSet>().spec->template_;
  const SlowStartResult made = slow_start(
      log, count,
      [&](int64_t) {
        return create_pod_request(in.owner, pod_from_template(pod_template, in.owner));
      },
      [&](int64_t, const ApiResponse& response) {
        const Status status = judge_pod_creation(in.owner, response, log);
        // Whatever is created there now would be deleted with the namespace.
        return namespace_terminating(response) ? Status() : status;
      });
  log.once([&] {
    for (int64_t i = made.successes; i < count; ++i) expectations_.creation_observed(in.key);
  });
  return made.error;
}

Status ReplicaSetController::delete_pods(const ReplicaSetInputs& in,
                                         std::span<const api::Object> pods, int64_t count,
                                         WriteLog& log) {
  const std::vector<api::Object> chosen =
      pods_to_delete(pods, in.related, static_cast<size_t>(count), in.now);
  std::vector<Str> keys;
  for (const api::Object& pod : chosen) keys.push_back(api::object_key(pod.meta()));
  log.once([&] { expectations_.expect_deletions(in.key, keys, in.now); });
  const auto answers =
      log.batch(chosen.size(), [&](size_t i) { return delete_pod_request(chosen[i]); });
  Status first_failure;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Status status = judge_pod_deletion(in.owner, chosen[i].meta().name, answers[i], log);
    if (status) continue;
    log.once([&] { expectations_.deletion_observed(in.key, keys[i]); });
    if (status.code() != Code::kNotFound && first_failure) first_failure = status;
  }
  return first_failure;
}

}  // namespace orrery::control
