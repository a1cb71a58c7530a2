#pragma once

#include <optional>
#include <string>

#include "engine/api/cron_schedule.h"
#include "engine/api/gen/batchv1.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery::control {

/// Which of a CronJob's starts are due. Kubernetes v1.32 pkg/controller/cronjob/utils.go.

enum class MissedStarts : uint8_t { kNone, kFew, kMany };  // kMany: more than 100

struct DueStart {
  Time earliest;              // starts up to here do not count
  std::optional<Time> start;  // the most recent one up to now
  MissedStarts missed = MissedStarts::kNone;
  Status error;  // the schedule makes no sense
};

/// `with_deadline`: starts older than startingDeadlineSeconds do not count.
DueStart due_start(const batchv1::CronJob& cron_job, Time now, const api::CronSchedule& schedule,
                   bool with_deadline);

/// How long until the next start, and a little more (0.1 s), so that it lies in the past then.
Duration time_to_next_start(const batchv1::CronJob& cron_job, Time now,
                            const api::CronSchedule& schedule);

/// The schedule in the CronJob's time zone; one that is not known does not count.
Result<api::CronSchedule> schedule_of(const batchv1::CronJobSpec& spec);
/// The schedule names a time zone itself.
bool schedule_has_zone(const batchv1::CronJobSpec& spec);

/// "2025-03-03T11:00:00+01:00": a start as clocks of the CronJob's zone show it.
Result<std::string> zoned_time(const batchv1::CronJobSpec& spec, Time time);

}  // namespace orrery::control
