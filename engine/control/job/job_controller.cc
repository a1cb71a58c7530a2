#include "engine/control/job/job_controller.h"

#include <utility>

#include "engine/api/label_selector.h"
#include "engine/control/common/claim.h"
#include "engine/control/job/job_pods.h"
#include "engine/control/job/job_status.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

// A colon is in no name, so these are no keys of Jobs.
constexpr std::string_view kOrphanPrefix = "orphan:";
constexpr std::string_view kOrphansPrefix = "orphans:";

Str index_tracked_by_namespace(const api::Object& pod) {
  return has_tracking_finalizer(pod.meta()) ? pod.meta().namespace_ : Str();
}

/// Another controller looks after it.
bool managed_elsewhere(const batchv1::Job& job) {
  return job.spec->managed_by && *job.spec->managed_by != "kubernetes.io/job-controller";
}

}  // namespace

JobController::JobController(const Env& env, const JobOptions& options)
    : Reconciler(env, "job-controller", options) {
  add_informer({&kind_of<batchv1::Job>(), {}, {}, {}}, {index_by_namespace});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}},
                    {index_by_controller, index_orphans_by_namespace, index_tracked_by_namespace});
}

Str JobController::orphan_key(std::string_view pod_key) { return str_cat(kOrphanPrefix, pod_key); }

Str JobController::orphans_key(std::string_view ns, std::string_view selector) {
  return str_cat(kOrphansPrefix, ns, '/', selector);
}

void JobController::on_change(const Ctx& ctx, size_t informer, const Change& change) {
  if (informer == kJobs) return job_changed(ctx, change);
  if (!change.after) return pod_removed(change.last, true);
  if (change.before) return pod_updated(change.before, change.after);
  pod_added(change.after);
}

void JobController::job_changed(const Ctx& ctx, const Change& change) {
  need(kPods);
  const Str key = api::object_key(change.newest().meta());
  const bool replaced =
      change.before && change.after && change.before.meta().uid != change.after.meta().uid;
  if (replaced) memory_.forget(key);
  if (replaced || !change.after) enqueue_orphans_of(replaced ? change.before : change.last);
  const bool batched = change.before && change.after && !replaced &&
                       change.before.meta().generation == change.after.meta().generation;
  if (!batched) {
    enqueue(key);
  } else {
    enqueue_batched(change.after);
  }
  if (!change.before || !change.after) return;
  const auto& job = change.after.get<batchv1::Job>();
  // A backup: it was not to be finished before its pods were counted.
  if (is_job_finished(*job.status)) enqueue_orphans_of(change.after);
  const auto& deadline = job.spec->active_deadline_seconds;
  if (job.status->start_time && deadline &&
      !(change.before.get<batchv1::Job>().spec->active_deadline_seconds == deadline))
    enqueue_after(key, Duration::seconds(*deadline) - (ctx.now - job.status->start_time->time()));
}

const api::Object* JobController::resolve(const api::Object& pod) const {
  const auto* controller = api::controller_of(pod.meta());
  if (!controller || controller->kind != "Job") return nullptr;
  const api::Object* job = informer(kJobs).find(pod.meta().namespace_, controller->name);
  return job && job->meta().uid == controller->uid ? job : nullptr;
}

void JobController::enqueue_batched(const api::Object& job) {
  enqueue_after(api::object_key(job.meta()), JobSync::kBatch);
}

void JobController::enqueue_orphans_of(const api::Object& job) {
  const auto selector = api::Selector::of(job.get<batchv1::Job>().spec->selector.get());
  if (selector) enqueue(orphans_key(job.meta().namespace_.view(), selector->to_string()));
}

void JobController::pod_added(const api::Object& pod) {
  if (pod.meta().deletion_timestamp) return pod_removed(pod, false);
  if (!api::controller_of(pod.meta())) return orphan_changed(pod);
  const api::Object* job = resolve(pod);
  if (!job) return;
  memory_.expectations.creation_observed(api::object_key(job->meta()));
  enqueue_batched(*job);
}

void JobController::pod_updated(const api::Object& before, const api::Object& after) {
  if (after.meta().deletion_timestamp) return pod_removed(after, false);
  const bool owner_changed = !same_controller(before, after);
  const auto changed = [&](const api::Object& job) {
    if (!has_tracking_finalizer(after.meta()))
      memory_.untracking_observed(api::object_key(job.meta()), after.meta().uid);
    enqueue_batched(job);
  };
  if (owner_changed)
    if (const api::Object* job = resolve(before)) changed(*job);
  if (api::controller_of(after.meta())) {
    if (const api::Object* job = resolve(after)) changed(*job);
    return;
  }
  if (owner_changed || !(before.meta().labels == after.meta().labels)) {
    orphan_changed(after);
  } else if (has_tracking_finalizer(after.meta())) {
    enqueue_orphan(after);
  }
}

void JobController::pod_removed(const api::Object& pod, bool final) {
  const bool tracked = has_tracking_finalizer(pod.meta());
  const auto* controller = api::controller_of(pod.meta());
  if (controller && controller->kind != "Job") return;
  const api::Object* job = resolve(pod);
  if (!job || is_job_finished(*job->get<batchv1::Job>().status)) {
    if (tracked) enqueue_orphan(pod);
    return;
  }
  const Str key = api::object_key(job->meta());
  memory_.expectations.deletion_observed(key, api::object_key(pod.meta()));
  if (final || !tracked) memory_.untracking_observed(key, pod.meta().uid);
  enqueue_batched(*job);
}

void JobController::orphan_changed(const api::Object& pod) {
  const auto& meta = pod.meta();
  if (has_tracking_finalizer(meta)) enqueue_orphan(pod);
  if (meta.labels.empty()) return;
  informer(kJobs).for_each_in(kJobsByNamespace, meta.namespace_, [&](const api::Object& job) {
    const auto selector = api::Selector::of(job.get<batchv1::Job>().spec->selector.get());
    if (selector && !selector->empty() && selector->matches(meta.labels)) enqueue_batched(job);
  });
}

JobWork JobController::gather(const Ctx& ctx, const Str& key) {
  JobWork work;
  const std::string_view text = key.view();
  if (text.starts_with(kOrphanPrefix)) {
    work.orphans = true;
    const api::Object* pod = informer(kPods).find(text.substr(kOrphanPrefix.size()));
    if (pod && is_left_behind(*pod)) work.untracked.push_back(*pod);
  } else if (text.starts_with(kOrphansPrefix)) {
    const std::string_view rest = text.substr(kOrphansPrefix.size());
    gather_orphans(rest.substr(0, rest.find('/')), rest.substr(rest.find('/') + 1), work);
  } else {
    work.job = gather_job(ctx.now, key);
  }
  return work;
}

void JobController::gather_orphans(std::string_view ns, std::string_view selector,
                                   JobWork& work) const {
  work.orphans = true;
  const auto parsed = api::Selector::parse(selector);
  if (!parsed) return;
  informer(kPods).for_each_in(kTrackedByNamespace, ns, [&](const api::Object& pod) {
    if (parsed->matches(pod.meta().labels) && is_left_behind(pod)) work.untracked.push_back(pod);
  });
  sort_by_name(work.untracked);
}

JobInputs JobController::gather_job(Time now, const Str& key) const {
  JobInputs in;
  in.now = now;
  in.key = key;
  const api::Object* found = informer(kJobs).find(key);
  if (!found) return in;
  in.job = *found;
  const auto& meta = found->meta();
  informer(kPods).for_each_in(kPodsByController, meta.uid,
                              [&](const api::Object& pod) { in.pods.push_back(pod); });
  const auto selector = api::Selector::of(found->get<batchv1::Job>().spec->selector.get());
  informer(kPods).for_each_in(kOrphansByNamespace, meta.namespace_, [&](const api::Object& pod) {
    if (selector && selector->matches(pod.meta().labels)) in.pods.push_back(pod);
  });
  sort_by_name(in.pods);
  in.cache_caught_up = memory_.expectations.satisfied(key, now);
  in.untracked = memory_.expected_untracked(key);
  in.failures = memory_.failures(key);
  return in;
}

bool JobController::is_left_behind(const api::Object& pod) const {
  if (!has_tracking_finalizer(pod.meta())) return false;
  const auto* controller = api::controller_of(pod.meta());
  if (!controller) return true;
  if (controller->kind != "Job" || controller->api_version != "batch/v1") return false;
  const api::Object* found = resolve(pod);
  if (!found) return true;
  const auto& job = found->get<batchv1::Job>();
  return !managed_elsewhere(job) && is_job_finished(*job.status);
}

Status JobController::sync(const JobWork& work, WriteLog& log) {
  if (!work.orphans) return sync_job(work.job, log);
  const auto answers = log.batch(work.untracked.size(),
                                 [&](size_t i) { return untrack_request(work.untracked[i]); });
  for (const ApiResponse& answer : answers)
    if (!answer.status && answer.status.code() != Code::kNotFound) return answer.status;
  return Status();
}

Status JobController::sync_job(const JobInputs& in, WriteLog& log) {
  if (!in.job) {
    log.once([&] { memory_.forget(in.key); });
    return Status();
  }
  const auto& job = in.job.get<batchv1::Job>();
  if (managed_elsewhere(job)) return Status();
  if (is_job_finished(*job.status)) {
    log.once([&] { memory_.forget_failures(in.key); });
    return Status();
  }
  return JobSync(in, memory_, log).run();
}

}  // namespace orrery::control
