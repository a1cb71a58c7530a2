#include "engine/control/cronjob/cron_times.h"

#include <algorithm>
#include <cstdlib>

#include "engine/api/time_zone.h"

namespace orrery::control {
namespace {

constexpr Duration kLate = Duration::millis(100);
constexpr int64_t kManyStarts = 100;
constexpr Duration kSecond = Duration::seconds(1);

Time earliest_start(const batchv1::CronJob& cron_job, Time now, bool with_deadline) {
  Time earliest = cron_job.metadata->creation_timestamp.time();
  if (cron_job.status->last_schedule_time) earliest = cron_job.status->last_schedule_time->time();
  const auto& deadline = cron_job.spec->starting_deadline_seconds;
  if (with_deadline && deadline) earliest = std::max(earliest, now - Duration::seconds(*deadline));
  return earliest;
}

std::string two_digits(int64_t number) { return str_cat(number < 10 ? "0" : "", number); }

}  // namespace

/// The number missed is an estimate: how often the time between the first two starts fits in.
DueStart due_start(const batchv1::CronJob& cron_job, Time now, const api::CronSchedule& schedule,
                   bool with_deadline) {
  DueStart due;
  due.earliest = earliest_start(cron_job, now, with_deadline);
  const auto first = schedule.next(due.earliest);
  if (first && now < *first) return due;
  const auto second = first ? schedule.next(*first) : std::nullopt;
  if (second && now < *second) {
    due.start = first;
    return due;
  }
  const int64_t apart = second ? (*second - *first).ns / kSecond.ns : 0;
  if (apart < 1) {
    due.error = invalid("time difference between two schedules is less than 1 second");
    return due;
  }
  const int64_t starts = (now - *first).ns / kSecond.ns / apart + 1;
  // One more back, for schedules whose starts are not equally far apart.
  auto at = schedule.next(*first + Duration::seconds((starts - 2) * apart));
  for (; at && *at <= now; at = schedule.next(*at)) due.start = at;
  due.missed = starts > kManyStarts ? MissedStarts::kMany : MissedStarts::kFew;
  return due;
}

Duration time_to_next_start(const batchv1::CronJob& cron_job, Time now,
                            const api::CronSchedule& schedule) {
  const DueStart due = due_start(cron_job, now, schedule, /*with_deadline=*/false);
  Time from = now;
  if (due.start) {
    from = *due.start;
  } else if (due.error && due.missed == MissedStarts::kNone) {
    from = due.earliest;
  }
  const auto next = schedule.next(from);
  return next ? *next + kLate - now : Duration{INT64_MIN};
}

bool schedule_has_zone(const batchv1::CronJobSpec& spec) {
  return spec.schedule.view().find("TZ") != std::string_view::npos;
}

Result<api::CronSchedule> schedule_of(const batchv1::CronJobSpec& spec) {
  if (schedule_has_zone(spec) || !spec.time_zone || !api::TimeZone::find(*spec.time_zone))
    return api::CronSchedule::parse(spec.schedule);
  return api::CronSchedule::parse(str_cat("TZ=", *spec.time_zone, ' ', spec.schedule));
}

Result<std::string> zoned_time(const batchv1::CronJobSpec& spec, Time time) {
  ORRERY_ASSIGN(const api::TimeZone zone, api::TimeZone::find(spec.time_zone.value_or(Str())));
  const int64_t offset = zone.offset_at(time.unix_seconds());
  std::string text = api::format_time(time + Duration::seconds(offset));
  if (offset == 0) return text;
  text.pop_back();  // the Z
  const int64_t minutes = std::abs(offset) / 60;
  return str_cat(text, offset < 0 ? '-' : '+', two_digits(minutes / 60), ':',
                 two_digits(minutes % 60));
}

}  // namespace orrery::control
