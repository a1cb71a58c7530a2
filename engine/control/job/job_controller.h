#pragma once

#include <vector>

#include "engine/control/job/job_sync.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct JobOptions : ControllerOptions {
  /// Kubernetes v1.32 pkg/controller/job: failed syncs are tried again after 1 s doubling to 1 min.
  JobOptions() { retries = {{Duration::seconds(1), Duration::minutes(1)}, TokenBucket()}; }
};

/// What a sync works on: a Job, or pods that may have lost theirs.
struct JobWork {
  bool orphans = false;
  JobInputs job;
  std::vector<api::Object> untracked;  // orphans: the pods that lose their tracking finalizer
};

/// Runs Jobs to completion. Kubernetes v1.32 pkg/controller/job.
class JobController final : public Reconciler<JobController, JobWork> {
 public:
  JobController(const Env& env, const JobOptions& options);

  /// Keys besides those of Jobs: a pod ("namespace/name"), and the pods of a namespace that a
  /// selector matches, which are to lose their tracking finalizer if no Job counts them any more.
  static Str orphan_key(std::string_view pod_key);
  static Str orphans_key(std::string_view ns, std::string_view selector);

  /// The caches have seen all writes of this controller.
  void caches_caught_up() { memory_.caches_caught_up(); }

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  JobWork gather(const Ctx& ctx, const Str& key) override;
  Status sync(const JobWork& work, WriteLog& log) override;

 private:
  enum Informers : size_t { kJobs, kPods };
  enum JobIndex : size_t { kJobsByNamespace };
  enum PodIndex : size_t { kPodsByController, kOrphansByNamespace, kTrackedByNamespace };

  void job_changed(const Ctx& ctx, const Change& change);
  void pod_added(const api::Object& pod);
  void pod_updated(const api::Object& before, const api::Object& after);
  /// `final`: it is gone, not only marked.
  void pod_removed(const api::Object& pod, bool final);
  void orphan_changed(const api::Object& pod);
  void enqueue_batched(const api::Object& job);
  void enqueue_orphan(const api::Object& pod) { enqueue(orphan_key(api::object_key(pod.meta()))); }
  void enqueue_orphans_of(const api::Object& job);
  /// The Job that controls the pod, if it is in the cache.
  const api::Object* resolve(const api::Object& pod) const;

  JobInputs gather_job(Time now, const Str& key) const;
  void gather_orphans(std::string_view ns, std::string_view selector, JobWork& work) const;
  /// Tracked, and no Job will count it.
  bool is_left_behind(const api::Object& pod) const;
  Status sync_job(const JobInputs& in, WriteLog& log);

  JobMemory memory_;
};

}  // namespace orrery::control
