#include <algorithm>

#include "engine/api/pod_util.h"
#include "engine/control/common/claim.h"
#include "engine/control/common/pdq_sort.h"
#include "engine/control/statefulset/ordinals.h"
#include "engine/control/statefulset/set_revisions.h"
#include "engine/control/statefulset/set_sync.h"
#include "engine/control/statefulset/stateful_pod.h"

namespace orrery::control {
namespace {

constexpr size_t kBatchMax = 500;

const corev1::Pod& pod_of(const api::Object& object) { return object.get<corev1::Pod>(); }

bool is_going(const corev1::Pod& pod) { return pod.metadata->deletion_timestamp.has_value(); }

}  // namespace

template <typename Step, typename Announce>
Result<bool> SetSync::for_all(size_t count, Step step, Announce announce) {
  if (in_order()) {
    for (size_t i = 0; i < count; ++i) {
      ORRERY_ASSIGN(const bool stop, step(i));
      if (stop) return true;
    }
    return false;
  }
  size_t done = 0;
  for (size_t size = std::min<size_t>(1, count); size > 0;
       size = std::min({2 * size, count - done, kBatchMax})) {
    announce(done, size);
    std::vector<Status> failures;
    for (const size_t end = done + size; done < end; ++done) {
      const Result<bool> result = step(done);
      if (!result) failures.push_back(result.status());
      if (log_.pending()) break;
    }
    if (!failures.empty()) return join_failures(failures);
  }
  return false;
}

Status SetSync::roll_out() {
  ORRERY_ASSIGN(current_set_, apply_revision(in_.set, current_revision_));
  ORRERY_ASSIGN(update_set_, apply_revision(in_.set, update_revision_));
  status_.emplace();
  status_->observed_generation = in_.set.meta().generation;
  status_->current_revision = current_revision_.meta().name;
  status_->update_revision = update_revision_.meta().name;
  status_->collision_count = collisions_;
  count(claimed_);
  if (in_.set.meta().deletion_timestamp) return Status();
  place_pods();
  find_first_unhealthy();
  Result<bool> stopped = bring_up();
  if (stopped && !*stopped) stopped = take_down();
  count_replicas();
  if (!stopped) return stopped.status();
  if (*stopped || spec().update_strategy.type == "OnDelete") return Status();
  return replace_outdated();
}

void SetSync::place_pods() {
  const auto wanted = static_cast<size_t>(std::max(0, spec().replicas.value_or(0)));
  replicas_.resize(wanted);
  for (const api::Object& pod : claimed_) {
    const int64_t ordinal = ordinal_of(pod.meta().name);
    if (in_ordinal_range(spec(), ordinal)) {
      replicas_[static_cast<size_t>(ordinal - start_ordinal(spec()))] = pod;
    } else if (ordinal >= 0) {
      condemned_.push_back(pod);
    }
  }
  pdq_sort(std::span<api::Object>(condemned_), [](const api::Object& a, const api::Object& b) {
    return ordinal_of(a.meta().name) > ordinal_of(b.meta().name);
  });
}

void SetSync::find_first_unhealthy() {
  const auto unhealthy = [](const api::Object& pod) { return !pod || !is_healthy(pod_of(pod)); };
  const auto replica = std::find_if(replicas_.begin(), replicas_.end(), unhealthy);
  if (replica != replicas_.end()) {
    first_unhealthy_ = &*replica;
    return;
  }
  const auto condemned = std::find_if(condemned_.rbegin(), condemned_.rend(), unhealthy);
  if (condemned != condemned_.rend()) first_unhealthy_ = &*condemned;
}

/// Below the partition, and during an update without one below the number of current replicas,
/// pods are made anew as they were.
api::Object SetSync::missing_pod(int64_t ordinal) const {
  const auto& strategy = spec().update_strategy;
  const auto* rolling = strategy.rolling_update.get();
  int64_t current = 0;
  if (rolling) {
    current = rolling->partition.value_or(0);
  } else if (strategy.type == "RollingUpdate") {
    current = set().status->current_replicas;
  }
  return ordinal < start_ordinal(spec()) + current
             ? new_stateful_pod(current_set_, ordinal, current_revision_.meta().name)
             : new_stateful_pod(update_set_, ordinal, update_revision_.meta().name);
}

Result<bool> SetSync::bring_up() {
  ORRERY_ASSIGN(const bool stop,
                for_all(
                    replicas_.size(), [&](size_t i) { return process_replica(i); },
                    [&](size_t first, size_t count) { announce_creations(first, count); }));
  if (stop) return true;
  const auto fix = [&](size_t i) -> Result<bool> {
    if (pods_.claims_fit(update_set_, condemned_[i])) return false;
    ORRERY_TRY(pods_.fix_claims(update_set_, condemned_[i]));
    return false;
  };
  return for_all(condemned_.size(), fix, [](size_t, size_t) {});
}

/// Pods of one batch are made at the same time.
void SetSync::announce_creations(size_t first, size_t count) {
  const auto batch = std::span(replicas_).subspan(first, count);
  const bool all_missing = std::none_of(batch.begin(), batch.end(),
                                        [](const auto& pod) { return static_cast<bool>(pod); });
  if (!all_missing || !spec().volume_claim_templates.empty()) return;
  for (size_t i = first; i < first + count; ++i)
    replicas_[i] = missing_pod(start_ordinal(spec()) + static_cast<int64_t>(i));
  pods_.create_together(batch);
}

void SetSync::announce_removals(size_t first, size_t count) {
  const auto batch = std::span(condemned_).subspan(first, count);
  const auto going = [](const auto& pod) { return is_going(pod_of(pod)); };
  if (std::none_of(batch.begin(), batch.end(), going)) pods_.remove_together(batch);
}

Result<bool> SetSync::process_replica(size_t index) {
  api::Object& replica = replicas_[index];
  if (!replica) replica = missing_pod(start_ordinal(spec()) + static_cast<int64_t>(index));
  if (api::is_pod_terminal(pod_of(replica))) {
    // The next sync makes a new one, when this one is gone.
    if (!is_going(pod_of(replica))) ORRERY_TRY(pods_.remove(replica));
    return true;
  }
  if (!is_created(pod_of(replica))) {
    if (pods_.claim_is_stale(in_.set, replica)) return true;
    ORRERY_TRY(pods_.create(in_.set, replica));
    if (in_order()) return true;
  }
  if (pod_of(replica).status->phase == "Pending")
    ORRERY_TRY(pods_.create_missing_claims(in_.set, replica));
  if (in_order() && blocks_successors(pod_of(replica))) return true;
  ORRERY_TRY(keep_invariants(replica));
  return false;
}

bool SetSync::blocks_successors(const corev1::Pod& pod) const {
  return is_going(pod) || !is_running_and_ready(pod) ||
         !api::is_pod_available(pod, spec().min_ready_seconds, in_.now);
}

Status SetSync::keep_invariants(const api::Object& pod) {
  if (identity_matches(in_.set, pod_of(pod)) && storage_matches(in_.set, pod_of(pod)) &&
      pods_.claims_fit(update_set_, pod))
    return Status();
  return pods_.update(update_set_, pod);
}

Result<bool> SetSync::take_down() {
  return for_all(
      condemned_.size(), [&](size_t i) { return process_condemned(i); },
      [&](size_t first, size_t count) { announce_removals(first, count); });
}

Result<bool> SetSync::process_condemned(size_t index) {
  const api::Object& pod = condemned_[index];
  if (is_going(pod_of(pod))) return in_order();
  if (in_order() && &pod != first_unhealthy_ && blocks_successors(pod_of(pod))) return true;
  ORRERY_TRY(pods_.remove(pod));
  return true;
}

/// From the highest ordinal down to the partition, one at a time: the next goes when this one is
/// healthy again.
Status SetSync::replace_outdated() {
  const int64_t partition = spec().update_strategy.rolling_update->partition.value_or(0);
  for (auto i = static_cast<int64_t>(replicas_.size()) - 1; i >= partition; --i) {
    const api::Object& replica = replicas_[static_cast<size_t>(i)];
    if (update_revision_.meta().name != pod_revision(pod_of(replica)) &&
        !is_going(pod_of(replica))) {
      const Status removed = pods_.remove(replica);
      if (!removed && removed.code() != Code::kNotFound) return removed;
      --status_->current_replicas;
      return Status();
    }
    if (!is_healthy(pod_of(replica))) return Status();
  }
  return Status();
}

}  // namespace orrery::control
