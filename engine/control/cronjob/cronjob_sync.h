#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/control/cronjob/cron_times.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// What one sync of a CronJob looks at.
struct CronJobInputs {
  Time now;
  Str key;
  api::Object cron_job;           // null: it is gone
  std::vector<api::Object> jobs;  // controlled by one of its name, sorted by name
};

/// One sync. Kubernetes v1.32 pkg/controller/cronjob/cronjob_controllerv2.go.
class CronJobSync {
 public:
  CronJobSync(const CronJobInputs& in, WriteLog& log);
  Status run();

 private:
  /// Until the next sync that it asks for, if it does.
  using Wait = std::optional<Duration>;

  const batchv1::CronJob& cron_job() const { return current_->get<batchv1::CronJob>(); }
  batchv1::CronJobStatus& mut_status() { return current_->mut<batchv1::CronJob>().status.mut(); }
  template <typename Message>
  void report(std::string_view type, std::string_view reason, const Message& message) {
    log_.event(in_.cron_job, type, reason, message);
  }

  void clean_up();
  void remove_oldest(std::vector<api::Object> jobs, int32_t kept);
  bool delete_job(const api::Object& job);

  Result<Wait> sync();
  Status look_at_jobs();
  Status look_at_stray(const api::Object& job);
  Status drop_missing_jobs();
  void take_success(const batchv1::JobStatus& status);
  std::optional<api::CronSchedule> checked_schedule();
  bool may_start(Time start);
  Status replace_active();
  Result<bool> start_job(Time start);
  Result<api::Object> make_job(Time start) const;
  Str job_name(Time start) const;

  bool is_active(const Str& uid) const;
  void deactivate(const Str& uid);

  const CronJobInputs& in_;
  WriteLog& log_;
  api::Object copy_;   // as in the cache, with the status that will be written
  api::Object fresh_;  // read anew
  api::Object* current_;
  bool write_status_ = false;
};

}  // namespace orrery::control
