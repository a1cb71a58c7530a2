#include <algorithm>
#include <utility>

#include "engine/api/pod_util.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/common/slow_start.h"
#include "engine/control/job/job_pods.h"
#include "engine/control/job/job_sync.h"

namespace orrery::control {
namespace {

int64_t count_ready(std::span<const api::Object> pods) {
  return std::count_if(pods.begin(), pods.end(), [](const api::Object& pod) {
    return api::is_pod_ready(pod.get<corev1::Pod>());
  });
}

}  // namespace

/// The Job ends: its active pods are deleted, and stay tracked until they are counted.
Status JobSync::stop_all() {
  const auto answers = log_.batch(active_pods_.size(),
                                  [&](size_t i) { return delete_pod_request(active_pods_[i]); });
  if (log_.pending()) return Status();
  int64_t deleted = 0;
  Status failure;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Status judged = judge_pod_deletion(job_, active_pods_[i].meta().name, answers[i], log_);
    const bool gone = judged.is_ok() || judged.code() == Code::kNotFound;
    deleted += gone;
    if (!gone && failure) failure = judged;
  }
  // There may be pods that are not in the cache yet.
  if (deleted != active_ || !in_.cache_caught_up) end_.reset();
  active_ -= deleted;
  terminating_ += deleted;
  ready_ -= count_ready(active_pods_);
  return failure;
}

int64_t JobSync::wanted_active() const {
  const int64_t parallelism = spec().parallelism.value_or(1);
  // A work queue: after the first success what runs may run to its end.
  if (!spec().completions) return succeeded_ > 0 ? active_ : parallelism;
  return std::max<int64_t>(0, std::min(completions() - succeeded_, parallelism));
}

Status JobSync::manage() {
  if (is_suspended(job())) return remove(pods_to_remove(job(), active_pods_, active_));
  const int64_t wanted = wanted_active();
  auto surplus = pods_to_remove(job(), active_pods_, std::max<int64_t>(0, active_ - wanted));
  if (surplus.size() > kPodsPerSync) surplus.resize(kPodsPerSync);
  // Never both in one sync.
  if (!surplus.empty()) return remove(surplus);
  const int64_t missing = wanted - active_ - (replaces_failed_only(job()) ? terminating_ : 0);
  return missing > 0 ? create(missing) : Status();
}

/// Surplus pods lose their finalizer first: they are not to be counted.
Status JobSync::remove(const std::vector<api::Object>& pods) {
  std::vector<Str> keys;
  for (const api::Object& pod : pods) keys.push_back(api::object_key(pod.meta()));
  log_.once([&] { memory_.expectations.expect_deletions(in_.key, keys, now_); });
  std::vector<size_t> tracked;
  for (size_t i = 0; i < pods.size(); ++i)
    if (has_tracking_finalizer(pods[i].meta())) tracked.push_back(i);
  const auto patched =
      log_.batch(tracked.size(), [&](size_t i) { return untrack_request(pods[tracked[i]]); });
  std::vector<Status> outcomes(pods.size());
  for (size_t i = 0; i < patched.size(); ++i) outcomes[tracked[i]] = patched[i].status;
  std::vector<size_t> doomed;
  for (size_t i = 0; i < pods.size(); ++i)
    if (outcomes[i]) doomed.push_back(i);
  const auto deleted =
      log_.batch(doomed.size(), [&](size_t i) { return delete_pod_request(pods[doomed[i]]); });
  if (log_.pending()) return Status();
  for (size_t i = 0; i < deleted.size(); ++i)
    outcomes[doomed[i]] = judge_pod_deletion(job_, pods[doomed[i]].meta().name, deleted[i], log_);
  Status failure;
  int64_t removed = 0;
  for (size_t i = 0; i < pods.size(); ++i) {
    if (!outcomes[i]) log_.once([&] { memory_.expectations.deletion_observed(in_.key, keys[i]); });
    const bool gone = outcomes[i].is_ok() || outcomes[i].code() == Code::kNotFound;
    removed += gone;
    if (!gone && failure) failure = outcomes[i];
  }
  active_ -= removed;
  terminating_ += removed;
  ready_ -= count_ready(pods);
  return failure;
}

Status JobSync::create(int64_t count) {
  Duration wait;
  if (!spec().backoff_limit_per_index) wait = failures_.left(now_);
  count = std::min(count, kPodsPerSync);
  std::vector<int64_t> indexes;
  if (wait <= Duration{} && is_indexed(job())) {
    indexes = missing_indexes(count);
    if (spec().backoff_limit_per_index) wait = keep_due_indexes(indexes);
    count = static_cast<int64_t>(indexes.size());
  }
  if (wait > Duration{}) {
    log_.requeue_after(std::max(wait, kBatch));
    active_ = 0;  // as in Kubernetes: the status says so until the next sync
    return Status();
  }
  return create_pods(indexes, count);
}

Status JobSync::create_pods(std::span<const int64_t> indexes, int64_t count) {
  log_.once([&] { memory_.expectations.expect_creations(in_.key, count, now_); });
  const SlowStartResult made = slow_start(
      log_, count,
      [&](int64_t i) {
        const int64_t index = indexes.empty() ? kNoIndex : indexes[static_cast<size_t>(i)];
        return create_pod_request(job_, job_pod(job_, index, replaceable(index)));
      },
      [&](int64_t, const ApiResponse& response) {
        const Status status = judge_pod_creation(job_, response, log_);
        // Whatever is created there now would be deleted with the namespace.
        return namespace_terminating(response) ? Status() : status;
      });
  log_.once([&] {
    for (int64_t i = made.successes; i < count; ++i)
      memory_.expectations.creation_observed(in_.key);
  });
  active_ += made.successes;
  return made.error;
}

const corev1::Pod* JobSync::replaceable(int64_t index) const {
  const auto it = replaceable_.find(index);
  return it == replaceable_.end() ? nullptr : &it->second.get<corev1::Pod>();
}

/// The lowest ones that are neither done nor in the hands of a pod.
std::vector<int64_t> JobSync::missing_indexes(int64_t count) const {
  std::vector<int64_t> held;
  const auto hold = [&](const api::Object& pod) {
    if (completion_index(pod.meta()) != kNoIndex) held.push_back(completion_index(pod.meta()));
  };
  for (const api::Object& pod : active_pods_) hold(pod);
  if (replaces_failed_only(job()))
    for (const api::Object& pod : pods_)
      if (is_terminating(pod.get<corev1::Pod>())) hold(pod);
  std::sort(held.begin(), held.end());
  IndexSet taken = succeeded_indexes_.with(held);
  if (failed_indexes_) taken = taken.merged(*failed_indexes_);
  std::vector<int64_t> missing;
  int64_t next = 0;
  const auto take_below = [&](int64_t end) {
    for (; next < std::min(end, completions()) && std::ssize(missing) < count; ++next)
      missing.push_back(next);
  };
  for (const auto& interval : taken.intervals()) {
    take_below(interval.first);
    next = std::max(next, interval.last + 1);
  }
  take_below(completions());
  return missing;
}

/// Drops indexes that still back off. If none is left, the time until the first of them is due.
Duration JobSync::keep_due_indexes(std::vector<int64_t>& indexes) const {
  Duration shortest;
  std::erase_if(indexes, [&](int64_t index) {
    const corev1::Pod* last = replaceable(index);
    if (!last) return false;
    const Duration left =
        pod_backoff_left(all_index_failures(*last->metadata) + 1, pod_finish_time(*last), now_);
    if (left <= Duration{}) return false;
    shortest = shortest == Duration{} ? left : std::min(shortest, left);
    return true;
  });
  return indexes.empty() ? shortest : Duration{};
}

}  // namespace orrery::control
