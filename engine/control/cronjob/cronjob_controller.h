#pragma once

#include "engine/control/cronjob/cronjob_sync.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct CronJobOptions : ControllerOptions {};

/// Starts Jobs on a schedule. Kubernetes v1.32 pkg/controller/cronjob.
class CronJobController final : public Reconciler<CronJobController, CronJobInputs> {
 public:
  CronJobController(const Env& env, const CronJobOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  CronJobInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const CronJobInputs& in, WriteLog& log) override;

 private:
  enum Informers : size_t { kCronJobs, kJobs };
  enum JobIndex : size_t { kJobsByOwner };

  void cron_job_changed(const Ctx& ctx, const Change& change);
  void enqueue_owner(const api::Object& job);
};

}  // namespace orrery::control
