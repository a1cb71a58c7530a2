// Parts of times, in UTC, and of durations, of which the whole is counted.
#include <chrono>

#include "engine/api/cel/functions.h"

namespace orrery::api::cel {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000, kNanosPerSecond = 1000 * kNanosPerMilli;
constexpr int64_t kNanosPerMinute = 60 * kNanosPerSecond, kNanosPerHour = 60 * kNanosPerMinute, kNanosPerDay = 24 * kNanosPerHour;

// "+01:30", "-08:00", "UTC"; false: a zone that is not known here.
bool offset_of(std::string_view zone, int64_t* ns) {
  *ns = 0;
  if (zone == "UTC" || zone.empty()) return true;
  const bool negative = zone.starts_with('-');
  if (negative || zone.starts_with('+')) zone.remove_prefix(1);
  const auto digit = [&](size_t i) { return zone[i] >= '0' && zone[i] <= '9'; };
  if (zone.size() != 5 || zone[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return false;
  const int64_t hours = (zone[0] - '0') * 10 + zone[1] - '0', minutes = (zone[3] - '0') * 10 + zone[4] - '0';
  *ns = (negative ? -1 : 1) * (hours * kNanosPerHour + minutes * kNanosPerMinute);
  return true;
}

Result<Value> part_of_time(std::string_view name, int64_t ns) {
  const bool before = ns % kNanosPerDay < 0;  // days begin at midnight, before 1970 too
  const int64_t days = ns / kNanosPerDay - before;
  const int64_t in_day = ns % kNanosPerDay + (before ? kNanosPerDay : 0);
  if (name == "getHours") return Value::integer(in_day / kNanosPerHour);
  if (name == "getMinutes") return Value::integer(in_day / kNanosPerMinute % 60);
  if (name == "getSeconds") return Value::integer(in_day / kNanosPerSecond % 60);
  if (name == "getMilliseconds") return Value::integer(in_day / kNanosPerMilli % 1000);
  const std::chrono::sys_days day{std::chrono::days(days)};
  const std::chrono::year_month_day date{day};
  if (name == "getFullYear") return Value::integer(static_cast<int>(date.year()));
  if (name == "getMonth") return Value::integer(static_cast<unsigned>(date.month()) - 1);
  if (name == "getDate") return Value::integer(static_cast<unsigned>(date.day()));
  if (name == "getDayOfMonth") return Value::integer(static_cast<unsigned>(date.day()) - 1);
  if (name == "getDayOfWeek") return Value::integer(std::chrono::weekday(day).c_encoding());
  if (name == "getDayOfYear") return Value::integer((day - std::chrono::sys_days(date.year() / std::chrono::January / 1)).count());
  return no_overload(name);
}

Result<Value> whole_duration(std::string_view name, int64_t ns) {
  if (name == "getHours") return Value::integer(ns / kNanosPerHour);
  if (name == "getMinutes") return Value::integer(ns / kNanosPerMinute);
  if (name == "getSeconds") return Value::integer(ns / kNanosPerSecond);
  if (name == "getMilliseconds") return Value::integer(ns / kNanosPerMilli);
  return no_overload(name);
}

}  // namespace

Result<Value> time_method(std::string_view name, const std::vector<Value>& args) {
  if (args[0].kind == Value::Kind::kDuration) return args.size() == 1 ? whole_duration(name, args[0].number) : no_overload(name);
  int64_t offset = 0;
  if (args.size() == 2 && args[1].is_string()) {
    if (!offset_of(args[1].string(), &offset)) return bad_request(str_cat("unknown time zone ", args[1].string()));
  } else if (args.size() != 1) {
    return no_overload(name);
  }
  int64_t local = 0;
  if (__builtin_add_overflow(args[0].number, offset, &local)) return bad_request("timestamp out of range");
  return part_of_time(name, local);
}

}  // namespace orrery::api::cel
