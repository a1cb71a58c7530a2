#include "engine/control/cronjob/cronjob_controller.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

/// Its controller's key, whatever that is: an owner counts by its name.
Str index_by_owner(const api::Object& job) {
  const auto* controller = api::controller_of(job.meta());
  return controller ? Str(str_cat(job.meta().namespace_, '/', controller->name)) : Str();
}

}  // namespace

CronJobController::CronJobController(const Env& env, const CronJobOptions& options)
    : Reconciler(env, "cronjob-controller", options) {
  add_informer({&kind_of<batchv1::CronJob>(), {}, {}, {}});
  add_lazy_informer({&kind_of<batchv1::Job>(), {}, {}, {}}, {index_by_owner});
}

void CronJobController::on_change(const Ctx& ctx, size_t informer, const Change& change) {
  if (informer == kCronJobs) return cron_job_changed(ctx, change);
  if (change.before) enqueue_owner(change.before);
  enqueue_owner(change.newest());
}

void CronJobController::cron_job_changed(const Ctx& ctx, const Change& change) {
  need(kJobs);
  const Str key = api::object_key(change.newest().meta());
  if (!change.before || !change.after) return enqueue(key);
  const auto& before = *change.before.get<batchv1::CronJob>().spec;
  const auto& after = change.after.get<batchv1::CronJob>();
  if (before.schedule == after.spec->schedule && before.time_zone == after.spec->time_zone)
    return enqueue(key);
  const auto schedule = schedule_of(*after.spec);
  if (schedule) return enqueue_after(key, time_to_next_start(after, ctx.now, *schedule));
  report(ctx.now, {change.after, "Warning", "UnParseableCronJobSchedule",
                   str_cat("unparseable schedule for cronjob: ", api::quoted(after.spec->schedule),
                           " : ", schedule.status().message())});
}

void CronJobController::enqueue_owner(const api::Object& job) {
  const auto* controller = api::controller_of(job.meta());
  if (!controller || controller->kind != "CronJob") return;
  const api::Object* owner = informer(kCronJobs).find(job.meta().namespace_, controller->name);
  if (owner && owner->meta().uid == controller->uid) enqueue(api::object_key(owner->meta()));
}

CronJobInputs CronJobController::gather(const Ctx& ctx, const Str& key) {
  CronJobInputs in;
  in.now = ctx.now;
  in.key = key;
  const api::Object* found = informer(kCronJobs).find(key);
  if (!found) return in;
  in.cron_job = *found;
  informer(kJobs).for_each_in(kJobsByOwner, key,
                              [&](const api::Object& job) { in.jobs.push_back(job); });
  std::sort(in.jobs.begin(), in.jobs.end(), [](const api::Object& a, const api::Object& b) {
    return a.meta().name < b.meta().name;
  });
  return in;
}

Status CronJobController::sync(const CronJobInputs& in, WriteLog& log) {
  if (!in.cron_job) return Status();
  return CronJobSync(in, log).run();
}

}  // namespace orrery::control
