#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/api/time_zone.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery::api {

/// When a CronJob starts: five fields ("*/5 9-17 * * mon-fri"), a descriptor ("@daily") or a period
/// ("@every 1h30m"), each in the time zone that "TZ=..." or "CRON_TZ=..." before it names, else in
/// UTC. Source: github.com/robfig/cron/v3, ParseStandard.
class CronSchedule {
 public:
  /// Errors in the words of that package.
  static Result<CronSchedule> parse(std::string_view text);
  /// The first activation after `time`; none if there is none within five years.
  std::optional<Time> next(Time time) const;

 private:
  enum Field { kMinute, kHour, kDayOfMonth, kMonth, kDayOfWeek, kFields };
  static Result<CronSchedule> parse_fields(std::string_view text);
  static Result<CronSchedule> parse_descriptor(std::string_view text);
  bool has(Field field, int64_t value) const { return fields_[field] >> value & 1; }
  bool day_matches(int64_t day, int64_t weekday) const;

  uint64_t fields_[kFields] = {};  // a bit for each value
  Duration period_;                // not 0: the fields mean nothing
  TimeZone zone_;

  friend class CronWalk;
};

}  // namespace orrery::api
