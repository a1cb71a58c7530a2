#include <chrono>

#include "engine/api/cron_schedule.h"

namespace orrery::api {

/// One search for the next activation: an instant, and what clocks of the zone show then. Like the
/// reference it goes by the clock in months and days and by the instant in hours and minutes, which
/// decides what happens where clocks are changed.
class CronWalk {
 public:
  CronWalk(const CronSchedule& schedule, int64_t seconds) : schedule_(schedule) {
    move_to(seconds);
    last_year_ = year_ + kYearsMax;
  }
  std::optional<int64_t> run() {
    while (year_ <= last_year_)
      if (next_month() && next_day() && next_hour() && next_minute()) return seconds_;
    return std::nullopt;
  }

 private:
  static constexpr int kYearsMax = 5;
  static constexpr int64_t kMinute = 60, kHour = 3600, kDay = 86400;

  void move_to(int64_t seconds) {
    seconds_ = seconds;
    const int64_t local = seconds + schedule_.zone_.offset_at(seconds);
    const std::chrono::sys_days day =
        std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(local)));
    const std::chrono::year_month_day date(day);
    year_ = static_cast<int>(date.year());
    month_ = static_cast<unsigned>(date.month());
    day_ = static_cast<unsigned>(date.day());
    weekday_ = std::chrono::weekday(day).c_encoding();
    in_day_ = local - int64_t{day.time_since_epoch().count()} * kDay;
  }
  int64_t hour() const { return in_day_ / kHour; }
  int64_t minute() const { return in_day_ / kMinute % 60; }
  /// To what clocks show as that date, which may be beyond the month's end, and time of day.
  void move_to_date(int64_t month, int64_t day, int64_t in_day) {
    const std::chrono::year_month first =
        std::chrono::year(year_) / std::chrono::January + std::chrono::months(month - 1);
    const std::chrono::sys_days date = std::chrono::sys_days(first / 1) + std::chrono::days(day - 1);
    move_to(schedule_.zone_.instant_of(int64_t{date.time_since_epoch().count()} * kDay + in_day));
  }
  /// True the first time something is increased: what is smaller then starts from its beginning.
  bool first_step() {
    const bool first = !stepped_;
    stepped_ = true;
    return first;
  }

  // Each answers false if the next larger unit has begun anew, so that all has to be looked at again.
  bool next_month() {
    while (!schedule_.has(CronSchedule::kMonth, month_)) {
      if (first_step()) move_to_date(month_, 1, 0);
      move_to_date(month_ + 1, day_, in_day_);
      if (month_ == 1) return false;
    }
    return true;
  }
  bool next_day() {
    while (!schedule_.day_matches(day_, weekday_)) {
      if (first_step()) move_to_date(month_, day_, 0);
      move_to_date(month_, day_ + 1, in_day_);
      // There may be no midnight, or two.
      if (hour() > 12) {
        move_to(seconds_ + (24 - hour()) * kHour);
      } else if (hour() != 0) {
        move_to(seconds_ - hour() * kHour);
      }
      if (day_ == 1) return false;
    }
    return true;
  }
  bool next_hour() {
    while (!schedule_.has(CronSchedule::kHour, hour())) {
      if (first_step()) move_to_date(month_, day_, hour() * kHour);
      move_to(seconds_ + kHour);
      if (hour() == 0) return false;
    }
    return true;
  }
  bool next_minute() {
    // Schedules have no seconds: an activation is at the beginning of its minute.
    while (!schedule_.has(CronSchedule::kMinute, minute()) || seconds_ % kMinute != 0) {
      const bool at_hour = next_at_minute();
      if (at_hour) return false;
    }
    return true;
  }
  /// True if an hour begins.
  bool next_at_minute() {
    stepped_ = true;
    move_to(seconds_ - seconds_ % kMinute + kMinute);
    return minute() == 0;
  }

  const CronSchedule& schedule_;
  int64_t seconds_ = 0;
  int year_ = 0, last_year_ = 0;
  int64_t month_ = 0, day_ = 0, weekday_ = 0;
  int64_t in_day_ = 0;  // what clocks show, in seconds
  bool stepped_ = false;
};

std::optional<Time> CronSchedule::next(Time time) const {
  const int64_t seconds = time.unix_seconds();
  if (period_.ns > 0) return Time::from_unix_seconds(seconds) + period_;
  const auto found = CronWalk(*this, seconds + 1).run();
  if (!found) return std::nullopt;
  return Time::from_unix_seconds(*found);
}

}  // namespace orrery::api
