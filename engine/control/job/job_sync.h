#pragma once

#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "engine/api/gen/batchv1.h"
#include "engine/api/object.h"
#include "engine/control/job/index_set.h"
#include "engine/control/job/job_memory.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// What one sync of a Job looks at.
struct JobInputs {
  Time now;
  Str key;
  api::Object job;                // null: it is gone
  std::vector<api::Object> pods;  // that it may claim, sorted by name
  bool cache_caught_up = false;
  std::vector<Str> untracked;  // pods that have lost their finalizer though the cache shows it
  FailureRecord failures;
};

/// One sync of a Job: a function of its inputs and of the answers in the log. The steps are those
/// of Kubernetes v1.32 pkg/controller/job, on a copy of the Job that stands for what the API holds.
/// A Job ends in two steps: FailureTarget or SuccessCriteriaMet is written before its pods are
/// stopped and untracked, Failed or Complete when all of them are gone.
class JobSync {
 public:
  /// Pods created or removed in one sync; pods counted in one sync.
  static constexpr int64_t kPodsPerSync = 500;
  /// Changes of pods and statuses are gathered for so long.
  static constexpr Duration kBatch = Duration::seconds(1);

  JobSync(const JobInputs& in, JobMemory& memory, WriteLog& log)
      : in_(in), memory_(memory), log_(log), now_(in.now), job_(in.job) {}
  Status run();

 private:
  using Uids = std::unordered_set<Str>;  // never iterated

  const batchv1::Job& job() const { return job_.get<batchv1::Job>(); }
  const batchv1::JobSpec& spec() const { return *job().spec; }
  const batchv1::JobStatus& status() const { return *job().status; }
  batchv1::JobStatus& mut_status() { return job_.mut<batchv1::Job>().status.mut(); }
  int64_t completions() const { return spec().completions.value_or(0); }
  /// Tracked, and not counted by an earlier sync.
  bool is_tracked(const api::Object& pod) const;

  // job_sync.cc: what there is, and whether the Job ends
  Status claim();
  void count_pods();
  bool counts_anew(const api::Object& pod, const Uids& uncounted) const;
  void decide_end();
  std::optional<std::string> failing_message() const;
  bool too_many_restarts() const;
  bool past_deadline() const;
  void look_at_indexes();
  void find_failed_indexes();
  bool index_has_failed(const corev1::Pod& pod) const;
  void find_replaceable();
  batchv1::JobCondition ending(std::string_view type, std::string_view reason,
                               std::string_view message) const;
  Status go_on();
  void update_suspension();

  // job_manage.cc: pods made and removed
  Status stop_all();
  Status manage();
  int64_t wanted_active() const;
  Status remove(const std::vector<api::Object>& pods);
  Status create(int64_t count);
  Status create_pods(std::span<const int64_t> indexes, int64_t count);
  std::vector<int64_t> missing_indexes(int64_t count) const;
  Duration keep_due_indexes(std::vector<int64_t>& indexes) const;
  const corev1::Pod* replaceable(int64_t index) const;

  // job_track.cc: ended pods are counted, then lose their finalizer
  Status track(bool flush);
  bool collect(std::vector<api::Object>& ended, bool& flush);
  bool may_untrack(const api::Object& pod, bool failed) const;
  void count_success(const api::Object& pod, bool& flush);
  void count_failure(const api::Object& pod, bool& flush);
  bool write_indexes();
  bool write_interim_condition();
  Status untrack(const std::vector<api::Object>& pods, Uids& tracked);
  bool settle_counted(const Uids& tracked);
  Status put_status();
  bool finish();
  void report_end();

  const JobInputs& in_;
  JobMemory& memory_;
  WriteLog& log_;
  Time now_;
  api::Object job_;
  std::vector<api::Object> pods_, active_pods_;
  Uids uncounted_succeeded_, uncounted_failed_;  // as the status had them when the sync began
  int64_t active_ = 0, ready_ = 0, terminating_ = 0, succeeded_ = 0, failed_ = 0;
  FailureRecord failures_;
  std::optional<batchv1::JobCondition> end_;  // why the Job ends
  IndexSet old_succeeded_indexes_, succeeded_indexes_;
  std::optional<IndexSet> failed_indexes_;  // with backoffLimitPerIndex
  std::map<int64_t, api::Object>
      replaceable_;  // the pod whose failures an index's next one takes over
  std::vector<int64_t> new_succeeded_indexes_;
  bool suspension_changed_ = false;
};

}  // namespace orrery::control
