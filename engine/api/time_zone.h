#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace orrery::api {

/// What clocks of a place show, by the IANA time zone database (2025b, compiled in). Exact since
/// 1970. Copyable data.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;
  /// By name ("Europe/Berlin"); "" is UTC, and so is "Local": there is no place where an engine is.
  /// Errors in the words of Go's time.LoadLocation.
  static Result<TimeZone> find(std::string_view name);

  /// Seconds east of UTC, at an instant in seconds since 1970.
  int64_t offset_at(int64_t seconds) const;
  /// The instant at which clocks show `local` seconds since 1970. Where clocks skip it, what they
  /// would show had they not been changed; where they show it twice, Go's choice (time.Date).
  int64_t instant_of(int64_t local) const;

 private:
  struct Change {
    int64_t at;
    int64_t offset;
  };
  /// The day of a month's week (5: the last), and the seconds of its local time.
  struct YearDay {
    int64_t month, week, day, seconds;
  };
  /// Every year from the last change on.
  struct Rule {
    int64_t standard, daylight;
    YearDay begin, end;
  };
  static int64_t day_of(int64_t year, const YearDay& when);
  int64_t offset_by_rule(int64_t seconds) const;

  int64_t first_offset_ = 0;
  std::vector<Change> changes_;
  std::vector<Rule> rule_;  // none or one
};

/// True if the database has a zone of that name.
bool is_time_zone(std::string_view name);

}  // namespace orrery::api
