#include "engine/control/ttl_after_finished/ttl_controller.h"

#include "engine/control/job/job_status.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
TtlController::TtlController(const Env& env, const TtlOptions& options)
    : Reconciler(env, "ttl-after-finished-controller", options) {
  add_informer({&kind_of<batchv1::Job>(), {}, {}, {}});
}

void TtlController::on_change(const Ctx&, size_t, const Change& change) {
  if (!change.after || change.after.meta().deletion_timestamp) return;
  const auto& job = change.after.get<batchv1::Job>();
  if (job.spec->ttl_seconds_after_finished && job_end(*job.status))
    enqueue(api::object_key(*job.metadata));
}

TtlInputs TtlController::gather(const Ctx& ctx, const Str& key) {
  const api::Object* job = informer(0).find(key);
  return {ctx.now, job ? *job : api::Object()};
}

Result<bool> TtlController::expired(const batchv1::Job& job, Time now, WriteLog& log) {
  const auto* end = job_end(*job.status);
  if (job.metadata->deletion_timestamp || !job.spec->ttl_seconds_after_finished || !end)
    return false;
  if (end->last_transition_time.is_zero())
    return internal_error(str_cat("unable to find the time when the Job ",
                                  api::object_key(*job.metadata), " finished"));
  const Duration left = end->last_transition_time.time() +
                        Duration::seconds(*job.spec->ttl_seconds_after_finished) - now;
  if (left > Duration{}) log.requeue_after(left);
  return left <= Duration{};
}

Status TtlController::sync(const TtlInputs& in, WriteLog& log) {
  if (!in.job) return Status();
  ORRERY_ASSIGN(const bool due, expired(in.job.get<batchv1::Job>(), in.now, log));
  if (!due) return Status();
  // The cache may be behind: it may have been given more time meanwhile.
  const auto& meta = in.job.meta();
  const ApiResponse& fresh =
      log.call([&] { return get_request(*in.job.kind(), meta.namespace_, meta.name); });
  if (fresh.status.code() == Code::kNotFound) return Status();
  if (!fresh.status) return fresh.status;
  ORRERY_ASSIGN(const bool still_due, expired(fresh.object.get<batchv1::Job>(), in.now, log));
  if (!still_due) return Status();
  ApiDeleteOptions options;
  options.propagation_policy = "Foreground";
  options.uid = fresh.object.meta().uid;
  return log
      .call_last(
          [&] { return delete_request(*in.job.kind(), meta.namespace_, meta.name, options); })
      .status;
}

}  // namespace orrery::control
