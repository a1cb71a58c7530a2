#include <algorithm>

#include "engine/control/common/pdq_sort.h"
#include "engine/control/job/job_pods.h"
#include "engine/control/job/job_status.h"
#include "engine/control/job/job_sync.h"
#include "engine/control/job/pod_policies.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {

/// The order of writes makes sure that no pod is counted twice or not at all, wherever it is cut
/// off: uids into the status, finalizers off, uids into the counts.
Status JobSync::track(bool flush) {
  if (is_indexed(job()))
    pdq_sort(std::span<api::Object>(pods_), [](const api::Object& a, const api::Object& b) {
      return completion_index(a.meta()) < completion_index(b.meta());
    });
  Uids tracked;
  for (const api::Object& pod : pods_)
    if (is_tracked(pod)) tracked.insert(pod.meta().uid);
  if (settle_counted(tracked)) flush = true;
  std::vector<api::Object> ended;
  const bool all_counted = collect(ended, flush);
  if (is_indexed(job()) && write_indexes()) flush = true;
  if (write_interim_condition()) flush = true;
  if (flush) {
    const Status written = put_status();
    if (!written) return written.with_context("adding uncounted pods to status");
    log_.once([&] { memory_.set_failures(in_.key, failures_); });
  }
  const Status untracked = untrack(ended, tracked);
  if (log_.pending()) return untracked;
  flush = settle_counted(tracked);
  if (!untracked && !flush) return untracked;
  const bool finished = untracked.is_ok() && all_counted && finish();
  if (flush || finished) {
    const Status written = put_status();
    if (!written) return written.with_context("removing uncounted pods from status");
    if (finished) report_end();
  }
  return untracked;
}

/// Takes note of pods that have ended; false if there are too many for one sync.
bool JobSync::collect(std::vector<api::Object>& ended, bool& flush) {
  const auto& uncounted = status().uncounted_terminated_pods;
  for (const api::Object& object : pods_) {
    if (!is_tracked(object)) continue;
    const auto& pod = object.get<corev1::Pod>();
    const bool failed = has_failed(pod, job());
    if (!may_untrack(object, failed)) continue;
    ended.push_back(object);
    if (pod.status->phase == "Succeeded" && !uncounted_failed_.contains(object.meta().uid)) {
      count_success(object, flush);
    } else if (failed || (end_ && end_->type != "SuccessCriteriaMet")) {
      // When the Job has failed, so has every pod that was still running.
      count_failure(object, flush);
    }
    if (static_cast<int64_t>(new_succeeded_indexes_.size() + uncounted->succeeded.size() +
                             uncounted->failed.size()) >= kPodsPerSync)
      return false;
  }
  return true;
}

bool JobSync::may_untrack(const api::Object& pod, bool failed) const {
  if (job().metadata->deletion_timestamp || end_ ||
      pod.get<corev1::Pod>().status->phase == "Succeeded")
    return true;
  if (!failed) return false;
  const auto last = replaceable_.find(completion_index(pod.meta()));
  return last == replaceable_.end() || last->second.meta().uid != pod.meta().uid;
}

void JobSync::count_success(const api::Object& pod, bool& flush) {
  if (is_indexed(job())) {
    const int64_t index = completion_index(pod.meta());
    if (index == kNoIndex || index >= completions() || old_succeeded_indexes_.has(index)) return;
    new_succeeded_indexes_.push_back(index);
  } else {
    if (uncounted_succeeded_.contains(pod.meta().uid)) return;
    mut_status().uncounted_terminated_pods.mut().succeeded.push_back(pod.meta().uid);
  }
  flush = true;
}

void JobSync::count_failure(const api::Object& pod, bool& flush) {
  if (uncounted_failed_.contains(pod.meta().uid)) return;
  const int64_t index = completion_index(pod.meta());
  if (is_indexed(job()) && (index == kNoIndex || index >= completions())) return;
  if (!judge_failed_pod(spec().pod_failure_policy.get(), pod.get<corev1::Pod>()).counts) return;
  mut_status().uncounted_terminated_pods.mut().failed.push_back(pod.meta().uid);
  flush = true;
}

bool JobSync::write_indexes() {
  succeeded_indexes_ = succeeded_indexes_.with(new_succeeded_indexes_);
  const Str completed = succeeded_indexes_.text();
  Opt<Str> failed;
  if (failed_indexes_) failed = Str(failed_indexes_->text());
  const bool changed =
      completed != status().completed_indexes || !(failed == status().failed_indexes);
  batchv1::JobStatus& fresh = mut_status();
  fresh.succeeded = static_cast<int32_t>(succeeded_indexes_.total());
  fresh.completed_indexes = completed;
  fresh.failed_indexes = failed;
  return changed;
}

/// The first of a Job's two conditions; `end_` becomes the second. True if it is new.
bool JobSync::write_interim_condition() {
  if (!end_) return false;
  const batchv1::JobCondition interim = *end_;
  if (interim.type == "FailureTarget") {
    mut_status().conditions.push_back(interim);
    end_ = ending("Failed", interim.reason.view(), interim.message.view());
    return true;
  }
  if (interim.type != "SuccessCriteriaMet") return false;
  const bool fresh = !true_condition(status(), "SuccessCriteriaMet");
  if (fresh) mut_status().conditions.push_back(interim);
  end_ = ending("Complete", interim.reason.view(), interim.message.view());
  return fresh;
}

Status JobSync::untrack(const std::vector<api::Object>& pods, Uids& tracked) {
  std::vector<Str> uids;
  for (const api::Object& pod : pods) uids.push_back(pod.meta().uid);
  log_.once([&] { memory_.expect_untracked(in_.key, uids); });
  const auto answers = log_.batch(pods.size(), [&](size_t i) { return untrack_request(pods[i]); });
  Status failure;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Status& answer = answers[i].status;
    if (!answer) log_.once([&] { memory_.untracking_observed(in_.key, uids[i]); });
    if (answer || answer.code() == Code::kNotFound) {
      tracked.erase(uids[i]);
    } else if (failure) {
      failure = answer;
    }
  }
  return failure;
}

/// Uids of pods that are not tracked any more become counts. True if there were any.
bool JobSync::settle_counted(const Uids& tracked) {
  batchv1::JobStatus& fresh = mut_status();
  auto& uncounted = fresh.uncounted_terminated_pods.mut();
  const auto is_settled = [&](const Str& uid) { return !tracked.contains(uid); };
  const size_t succeeded = uncounted.succeeded.erase_if(is_settled);
  const size_t failed = uncounted.failed.erase_if(is_settled);
  fresh.succeeded += static_cast<int32_t>(succeeded);
  fresh.failed += static_cast<int32_t>(failed);
  return succeeded + failed > 0;
}

Status JobSync::put_status() {
  const ApiResponse& written = log_.call([&] { return update_request(job_, "status"); });
  if (written.status) job_ = written.object;
  return written.status;
}

/// Adds the final condition once all pods are gone and counted.
bool JobSync::finish() {
  const auto& uncounted = *status().uncounted_terminated_pods;
  if (!end_ || !uncounted.succeeded.empty() || !uncounted.failed.empty() || terminating_ > 0)
    return false;
  batchv1::JobStatus& fresh = mut_status();
  ensure_job_condition(fresh, *end_);
  if (end_->type == "Complete") fresh.completion_time = end_->last_transition_time;
  return true;
}

void JobSync::report_end() {
  if (end_->type != "Complete") {
    log_.event(job_, "Warning", end_->reason.view(), end_->message);
    return;
  }
  if (spec().completions && status().succeeded > completions())
    log_.event(job_, "Warning", "TooManySucceededPods",
               "Too many succeeded pods running after completion count reached");
  log_.event(job_, "Normal", "Completed", "Job completed");
}

}  // namespace orrery::control
