#include "engine/server/validation/go_time.h"
#include "engine/server/validation/jobs.h"

namespace orrery::server {
namespace {

constexpr Path kStatus("status");

bool is_true(const batchv1::JobStatus& status, std::string_view type) {
  for (const auto& c : status.conditions)
    if (c.type == type && c.status == "True") return true;
  return false;
}

bool is_finished(const batchv1::JobStatus& status) { return is_true(status, "Complete") || is_true(status, "Failed"); }

// A job's old and new status; the rules apply only to what an update changes.
struct StatusChange {
  const batchv1::Job& job;
  const batchv1::JobStatus& now;
  const batchv1::JobStatus& before;
  Findings& findings;

  bool changed(std::string_view condition) const { return is_true(now, condition) != is_true(before, condition); }
  bool finished_changed() const { return is_finished(now) != is_finished(before); }
  void condition(bool wrong, std::string_view text) const {
    if (wrong) findings.invalid_here(kStatus.child("conditions"), text);
  }
};

void check_counts(const StatusChange& c) {
  const auto& s = c.now;
  c.findings.non_negative(s.active, kStatus.child("active"));
  c.findings.non_negative(s.succeeded, kStatus.child("succeeded"));
  c.findings.non_negative(s.failed, kStatus.child("failed"));
  if (s.ready) c.findings.non_negative(*s.ready, kStatus.child("ready"));
  if (s.terminating) c.findings.non_negative(*s.terminating, kStatus.child("terminating"));
  if (!s.uncounted_terminated_pods) return;
  const Path at = kStatus.child("uncountedTerminatedPods");
  Seen seen;
  const auto unique = [&](const List<Str>& uids, std::string_view name) {
    for (size_t i = 0; i < uids.size(); ++i) {
      if (uids[i].empty()) c.findings.invalid(at.child(name, i), uids[i], "must not be empty");
      else if (!seen.insert(uids[i])) c.findings.duplicate(at.child(name, i), uids[i]);
    }
  };
  unique(s.uncounted_terminated_pods->succeeded, "succeeded");
  unique(s.uncounted_terminated_pods->failed, "failed");
}

std::string time_text(const Opt<api::Timestamp>& time) { return time ? go_time(*time) : "null"; }

void check_completion_time(const StatusChange& c) {
  const auto& s = c.now;
  const Path at = kStatus.child("completionTime");
  const bool complete = is_true(s, "Complete");
  const bool time_changed = !(s.completion_time == c.before.completion_time), start_changed = !(s.start_time == c.before.start_time);
  if (c.changed("Complete") || time_changed) {
    if (s.completion_time && !complete)
      c.findings.invalid(at, Shown::raw(time_text(s.completion_time)), "cannot set completionTime when there is no Complete=True condition");
    if (!s.completion_time && complete) c.findings.required(at, "completionTime is required for Complete jobs");
  }
  if ((time_changed || start_changed) && s.start_time && s.completion_time && *s.completion_time < *s.start_time)
    c.findings.invalid(at, Shown::raw(time_text(s.completion_time)), "completionTime cannot be set before startTime");
}

void check_indexes(const StatusChange& c) {
  const auto& s = c.now;
  const auto& spec = *c.job.spec;
  const bool completed_changed = s.completed_indexes != c.before.completed_indexes;
  const bool failed_changed = !(s.failed_indexes == c.before.failed_indexes);
  const Path completed = kStatus.child("completedIndexes"), failed = kStatus.child("failedIndexes");
  if (completed_changed && spec.completions)
    if (const auto n = count_indexes(s.completed_indexes, *spec.completions); !n.is_ok())
      c.findings.invalid(completed, s.completed_indexes, str_cat("error parsing completedIndexes: ", n.status().message()));
  if (failed_changed && spec.completions && spec.backoff_limit_per_index && s.failed_indexes)
    if (const auto n = count_indexes(*s.failed_indexes, *spec.completions); !n.is_ok())
      c.findings.invalid(failed, *s.failed_indexes, str_cat("error parsing failedIndexes: ", n.status().message()));
  if (completed_changed && !s.completed_indexes.empty() && spec.completion_mode != Str("Indexed"))
    c.findings.invalid(completed, s.completed_indexes, "cannot set non-empty completedIndexes when non-indexed completion mode");
  if (failed_changed && !spec.backoff_limit_per_index && s.failed_indexes)
    c.findings.invalid(failed, *s.failed_indexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
  if ((failed_changed || completed_changed) && spec.completions && s.failed_indexes)
    if (const std::string wrong = check_no_common_index(s.completed_indexes, *s.failed_indexes, *spec.completions); !wrong.empty())
      c.findings.invalid(failed, *s.failed_indexes, wrong);
}

void check_finished(const StatusChange& c) {
  const auto& s = c.now;
  if (!is_finished(s)) return;
  const bool changed = c.finished_changed();
  if (s.active > 0 && (changed || s.active != c.before.active))
    c.findings.invalid(kStatus.child("active"), s.active, "active>0 is invalid for finished job");
  const bool never_runs = c.job.spec->suspend.value_or(false) && c.job.spec->completions == Opt<int32_t>(0);
  if (!s.start_time && (changed || c.before.start_time) && !never_runs)
    c.findings.required(kStatus.child("startTime"), "startTime is required for finished job");
  const auto& pods = s.uncounted_terminated_pods;
  if (changed && pods && !(pods->succeeded.empty() && pods->failed.empty()))
    c.findings.invalid(kStatus.child("uncountedTerminatedPods"), Shown::object(*pods), "uncountedTerminatedPods needs to be empty for finished job");
}

void check_status_itself(const StatusChange& c) {
  const auto& s = c.now;
  const bool complete = is_true(s, "Complete"), failed = is_true(s, "Failed"), target = is_true(s, "FailureTarget"),
             met = is_true(s, "SuccessCriteriaMet");
  check_counts(c);
  c.condition((c.changed("Complete") || c.changed("Failed")) && complete && failed, "cannot set Complete=True and Failed=true conditions");
  c.condition((c.changed("Complete") || c.changed("FailureTarget")) && complete && target,
              "cannot set Complete=True and FailureTarget=true conditions");
  check_completion_time(c);
  const bool failed_indexes_changed = !(s.failed_indexes == c.before.failed_indexes);
  c.condition((c.changed("Failed") || failed_indexes_changed) && failed && !target,
              "cannot set Failed=True condition without the FailureTarget=true condition");
  c.condition((c.changed("Complete") || c.changed("SuccessCriteriaMet")) && complete && !met,
              "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  check_finished(c);
  check_indexes(c);
  if (is_finished(s) && s.terminating.value_or(0) > 0 && (c.finished_changed() || !(s.terminating == c.before.terminating)))
    c.findings.invalid(kStatus.child("terminating"), *s.terminating, "terminating>0 is invalid for finished job");
  const bool ready_changed = !(s.ready == c.before.ready) || s.active != c.before.active;
  if (ready_changed && s.ready.value_or(0) > s.active)
    c.findings.invalid(kStatus.child("ready"), *s.ready, "cannot set more ready pods than active");
  c.condition(met && failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
  c.condition(met && target, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
  c.condition(c.job.spec->success_policy && !met && complete,
              "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
}

void check_progress(const StatusChange& c) {
  const auto &s = c.now, &old = c.before;
  const auto& spec = *c.job.spec;
  for (const char* type : {"Failed", "Complete", "FailureTarget"})
    c.condition(is_true(old, type) && !is_true(s, type), str_cat("cannot disable the terminal ", type, "=True condition"));
  if (s.failed < old.failed) c.findings.invalid(kStatus.child("failed"), s.failed, "cannot decrease the failed counter");
  const bool elastic = spec.completion_mode == Str("Indexed") && spec.completions == spec.parallelism;
  if (!elastic && s.succeeded < old.succeeded)
    c.findings.invalid(kStatus.child("succeeded"), s.succeeded, "cannot decrease the succeeded counter");
  if (s.completion_time && old.completion_time && !(s.completion_time == old.completion_time))
    c.findings.invalid(kStatus.child("completionTime"), Shown::raw(time_text(s.completion_time)), "completionTime cannot be mutated");
  bool unsuspended = false;
  for (const auto& condition : s.conditions) unsuspended = unsuspended || (condition.type == "Suspended" && condition.status == "False");
  const bool resumes = is_true(old, "Suspended") && unsuspended;
  if (old.start_time && !(old.start_time == s.start_time) && !resumes && !spec.suspend.value_or(false))
    c.findings.required(kStatus.child("startTime"), "startTime cannot be removed for unsuspended job");
  const bool met = is_true(s, "SuccessCriteriaMet"), was_met = is_true(old, "SuccessCriteriaMet");
  c.condition(was_met && !met, "cannot disable the SuccessCriteriaMet=True condition");
  c.condition(is_true(old, "Complete") && !was_met && met,
              "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
}

}  // namespace

void check_job_status(const batchv1::Job& job, const batchv1::Job& old, Findings& findings) {
  check_object_meta_update(*job.metadata, *old.metadata, findings);
  const StatusChange change{job, *job.status, *old.status, findings};
  check_status_itself(change);
  check_progress(change);
}

}  // namespace orrery::server
