#include "engine/control/job/job_sync.h"

#include <algorithm>
#include <set>

#include "engine/api/label_selector.h"
#include "engine/api/pod_util.h"
#include "engine/control/common/claim.h"
#include "engine/control/job/job_pods.h"
#include "engine/control/job/job_status.h"
#include "engine/control/job/pod_policies.h"

namespace orrery::control {

Status JobSync::run() {
  const Str mode = spec().completion_mode.value_or("NonIndexed");
  if (mode != "NonIndexed" && mode != "Indexed") {
    log_.event(job_, "Warning", "UnknownCompletionMode",
               "Skipped Job sync because completion mode is unknown");
    return Status();
  }
  mut_status().uncounted_terminated_pods.mut();
  ORRERY_TRY(claim());
  count_pods();
  decide_end();
  if (is_indexed(job())) look_at_indexes();
  const Status acted = end_ ? stop_all() : go_on();
  if (log_.pending()) return acted;
  const bool changed = suspension_changed_ || active_ != status().active ||
                       !(status().ready == static_cast<int32_t>(ready_)) ||
                       !(status().terminating == static_cast<int32_t>(terminating_));
  batchv1::JobStatus& fresh = mut_status();
  fresh.active = static_cast<int32_t>(active_);
  fresh.ready = static_cast<int32_t>(ready_);
  fresh.terminating = static_cast<int32_t>(terminating_);
  const Status tracked = track(changed);
  return tracked ? acted : tracked.with_context("tracking status");
}

Status JobSync::claim() {
  ORRERY_ASSIGN(const api::Selector selector, api::Selector::of(spec().selector.get()));
  const Str finalizers[] = {kJobTracking};
  ORRERY_TRY(claim_objects(job_, selector, in_.pods, log_, pods_, finalizers));
  for (api::Object& pod : pods_) {
    // Adopted just now: the finalizer came with the adoption.
    const auto& owners = pod.meta().owner_references;
    const bool owned = std::any_of(owners.begin(), owners.end(),
                                   [&](const auto& owner) { return owner.uid == job_.meta().uid; });
    if (!owned && !has_tracking_finalizer(pod.meta()))
      pod.mut_meta().finalizers.push_back(kJobTracking);
  }
  return Status();
}

bool JobSync::is_tracked(const api::Object& pod) const {
  return has_tracking_finalizer(pod.meta()) &&
         !std::binary_search(in_.untracked.begin(), in_.untracked.end(), pod.meta().uid);
}

/// An ended pod that no status has counted yet and that counts at all.
bool JobSync::counts_anew(const api::Object& pod, const Uids& uncounted) const {
  if (!is_tracked(pod) || uncounted.contains(pod.meta().uid)) return false;
  if (!is_indexed(job())) return true;
  const int64_t index = completion_index(pod.meta());
  return index != kNoIndex && index < completions();
}

void JobSync::count_pods() {
  const auto& uncounted = *status().uncounted_terminated_pods;
  uncounted_succeeded_.insert(uncounted.succeeded.begin(), uncounted.succeeded.end());
  uncounted_failed_.insert(uncounted.failed.begin(), uncounted.failed.end());
  succeeded_ = status().succeeded + static_cast<int64_t>(uncounted_succeeded_.size());
  failed_ = status().failed + static_cast<int64_t>(uncounted_failed_.size());
  std::vector<api::Object> new_succeeded, new_failed;
  for (const api::Object& object : pods_) {
    const auto& pod = object.get<corev1::Pod>();
    terminating_ += is_terminating(pod);
    if (api::is_pod_active(pod)) {
      active_pods_.push_back(object);
      ready_ += api::is_pod_ready(pod);
    }
    if (pod.status->phase == "Succeeded" && counts_anew(object, uncounted_succeeded_)) {
      new_succeeded.push_back(object);
    } else if (has_failed(pod, job()) && counts_anew(object, uncounted_failed_)) {
      new_failed.push_back(object);
      failed_ += judge_failed_pod(spec().pod_failure_policy.get(), pod).counts;
    }
  }
  active_ = static_cast<int64_t>(active_pods_.size());
  succeeded_ += static_cast<int64_t>(new_succeeded.size());
  failures_ = in_.failures.after(new_succeeded, new_failed);
  if (!status().start_time && !is_suspended(job()))
    mut_status().start_time = api::Timestamp::whole_seconds(now_);
}

batchv1::JobCondition JobSync::ending(std::string_view type, std::string_view reason,
                                      std::string_view message) const {
  return make_job_condition(type, "True", reason, message, now_);
}

// What was decided in an earlier sync stands.
void JobSync::decide_end() {
  if (const auto* met = true_condition(status(), "SuccessCriteriaMet")) {
    end_ = *met;
    return;
  }
  if (const auto* target = true_condition(status(), "FailureTarget")) {
    end_ = ending("Failed", target->reason.view(), target->message.view());
  } else if (const auto message = failing_message()) {
    end_ = ending("FailureTarget", "PodFailurePolicy", *message);
  } else if (failed_ > spec().backoff_limit.value_or(0) || too_many_restarts()) {
    end_ = ending("FailureTarget", "BackoffLimitExceeded",
                  "Job has reached the specified backoff limit");
  } else if (past_deadline()) {
    end_ = ending("FailureTarget", "DeadlineExceeded",
                  "Job was active longer than specified deadline");
  } else if (spec().active_deadline_seconds && !is_suspended(job())) {
    log_.requeue_after(Duration::seconds(*spec().active_deadline_seconds) -
                       (now_ - status().start_time->time()));
  }
}

/// That of the first pod for which the failure policy fails the Job.
std::optional<std::string> JobSync::failing_message() const {
  if (!spec().pod_failure_policy) return std::nullopt;
  for (const api::Object& object : pods_) {
    const auto& pod = object.get<corev1::Pod>();
    if (!has_failed(pod, job())) continue;
    const FailureVerdict verdict = judge_failed_pod(spec().pod_failure_policy.get(), pod);
    if (verdict.action == "FailJob") return verdict.message;
  }
  return std::nullopt;
}

/// Pods of restartPolicy OnFailure fail by being restarted.
bool JobSync::too_many_restarts() const {
  if (spec().template_->spec->restart_policy != "OnFailure") return false;
  int64_t restarts = 0;
  for (const api::Object& object : pods_) {
    const auto& pod = *object.get<corev1::Pod>().status;
    if (pod.phase != "Running" && pod.phase != "Pending") continue;
    for (const auto& container : pod.init_container_statuses) restarts += container.restart_count;
    for (const auto& container : pod.container_statuses) restarts += container.restart_count;
  }
  return restarts >= std::max(1, spec().backoff_limit.value_or(0));
}

bool JobSync::past_deadline() const {
  return spec().active_deadline_seconds && status().start_time && !is_suspended(job()) &&
         now_ - status().start_time->time() >= Duration::seconds(*spec().active_deadline_seconds);
}

void JobSync::look_at_indexes() {
  old_succeeded_indexes_ = IndexSet::parse(status().completed_indexes.view(), completions());
  std::set<int64_t> fresh;
  for (const api::Object& object : pods_) {
    const int64_t index = completion_index(object.meta());
    if (object.get<corev1::Pod>().status->phase == "Succeeded" && index != kNoIndex &&
        index < completions() && has_tracking_finalizer(object.meta()))
      fresh.insert(index);
  }
  const std::vector<int64_t> sorted(fresh.begin(), fresh.end());
  succeeded_indexes_ = old_succeeded_indexes_.with(sorted);
  succeeded_ = succeeded_indexes_.total();
  if (spec().backoff_limit_per_index) {
    find_failed_indexes();
    find_replaceable();
  }
  if (end_) return;
  if (const auto message =
          success_policy_met(spec().success_policy.get(), completions(), succeeded_indexes_))
    end_ = ending("SuccessCriteriaMet", "SuccessPolicy", *message);
}

void JobSync::find_failed_indexes() {
  std::set<int64_t> fresh;
  for (const api::Object& object : pods_) {
    const int64_t index = completion_index(object.meta());
    if (index != kNoIndex && index < completions() && has_tracking_finalizer(object.meta()) &&
        index_has_failed(object.get<corev1::Pod>()))
      fresh.insert(index);
  }
  const std::vector<int64_t> sorted(fresh.begin(), fresh.end());
  failed_indexes_ =
      IndexSet::parse(status().failed_indexes.value_or(Str()).view(), completions()).with(sorted);
  if (end_) return;
  const int64_t failed = failed_indexes_->total();
  if (spec().max_failed_indexes && failed > *spec().max_failed_indexes) {
    end_ = ending("FailureTarget", "MaxFailedIndexesExceeded",
                  "Job has exceeded the specified maximal number of failed indexes");
  } else if (failed > 0 && failed + succeeded_indexes_.total() >= completions()) {
    end_ = ending("FailureTarget", "FailedIndexes", "Job has failed indexes");
  }
}

bool JobSync::index_has_failed(const corev1::Pod& pod) const {
  if (!has_failed(pod, job())) return false;
  const FailureVerdict verdict = judge_failed_pod(spec().pod_failure_policy.get(), pod);
  if (verdict.action == "FailIndex") return true;
  return verdict.counts && index_failures(*pod.metadata) >= *spec().backoff_limit_per_index;
}

/// The last failed pod of each index that is neither active nor done: it stays tracked until the
/// next pod of the index carries its count of failures on.
void JobSync::find_replaceable() {
  std::set<int64_t> active;
  for (const api::Object& pod : active_pods_) active.insert(completion_index(pod.meta()));
  for (const api::Object& object : pods_) {
    const auto& pod = object.get<corev1::Pod>();
    const int64_t index = completion_index(object.meta());
    if (!counts_anew(object, {}) || !has_failed(pod, job()) || active.contains(index) ||
        succeeded_indexes_.has(index) || failed_indexes_->has(index))
      continue;
    api::Object& last = replaceable_[index];
    const bool later =
        !last || (all_index_failures(last.meta()) <= all_index_failures(object.meta()) &&
                  pod_finish_time(pod) >= pod_finish_time(last.get<corev1::Pod>()));
    if (later) last = object;
  }
}

/// The Job has not ended so far: pods are made and removed.
Status JobSync::go_on() {
  const bool manages = in_.cache_caught_up && !job().metadata->deletion_timestamp;
  Status managed;
  if (manages) managed = manage();
  if (log_.pending()) return managed;
  const bool done = spec().completions ? succeeded_ >= completions() : succeeded_ > 0;
  if (done && active_ == 0) {
    end_ = ending("SuccessCriteriaMet", "CompletionsReached",
                  "Reached expected number of succeeded pods");
  } else if (manages) {
    update_suspension();
  }
  return managed;
}

void JobSync::update_suspension() {
  const bool suspended = is_suspended(job());
  suspension_changed_ = ensure_job_condition(
      mut_status(), make_job_condition("Suspended", suspended ? "True" : "False",
                                       suspended ? "JobSuspended" : "JobResumed",
                                       suspended ? "Job suspended" : "Job resumed", now_));
  if (!suspension_changed_) return;
  if (suspended) {
    log_.event(job_, "Normal", "Suspended", "Job suspended");
  } else {
    log_.event(job_, "Normal", "Resumed", "Job resumed");
    // activeDeadlineSeconds counts from here.
    mut_status().start_time = api::Timestamp::whole_seconds(now_);
  }
}

}  // namespace orrery::control
