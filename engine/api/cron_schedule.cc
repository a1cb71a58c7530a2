#include "engine/api/cron_schedule.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "engine/api/names.h"
#include "engine/api/scalars.h"
#include "engine/base/ascii.h"

namespace orrery::api {
namespace {

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kDays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::string_view kSpace = " \t\n\v\f\r";
// Of a field without any limit ("*"): the other field of days alone decides.
constexpr uint64_t kStar = uint64_t{1} << 63;

struct Bounds {
  int64_t min, max;
  std::span<const std::string_view> names;  // of min, min + 1, ...
};
constexpr Bounds kBounds[] = {{0, 59, {}}, {0, 23, {}}, {1, 31, {}}, {1, 12, kMonths}, {0, 6, kDays}};

struct Descriptor {
  std::string_view name, fields;
};
constexpr Descriptor kDescriptors[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"},
};

/// The parts between separators; empty ones too, unless `skip_empty`.
std::vector<std::string_view> parts_of(std::string_view text, std::string_view separators, bool skip_empty) {
  std::vector<std::string_view> out;
  for (;;) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0 || !skip_empty) out.push_back(text.substr(0, end));
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

Result<int64_t> parse_int(std::string_view text) {
  const bool negative = text.starts_with('-'), sign = negative || text.starts_with('+');
  const std::string_view digits = text.substr(sign ? 1 : 0);
  const bool all_digits = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto failed = [&](const char* why) {
    return invalid(str_cat("failed to parse int from ", text, ": strconv.Atoi: parsing ", quoted(text), ": ", why));
  };
  if (digits.empty() || !all_digits) return failed("invalid syntax");
  if (digits.size() > 18) return failed("value out of range");
  int64_t number = 0;
  for (const char c : digits) number = number * 10 + (c - '0');
  if (negative && number > 0) return invalid(str_cat("negative number (-", number, ") not allowed: ", text));
  return number;
}

Result<int64_t> parse_int_or_name(std::string_view text, const Bounds& bounds) {
  const auto it = std::find_if(bounds.names.begin(), bounds.names.end(),
                               [&](std::string_view name) { return equals_ignoring_case(name, text); });
  if (it == bounds.names.end()) return parse_int(text);
  return bounds.min + (it - bounds.names.begin());
}

/// number | number-number | *, each with an optional /step.
Result<uint64_t> parse_range(std::string_view text, const Bounds& bounds) {
  const auto range_and_step = parts_of(text, "/", false);
  const auto ends = parts_of(range_and_step[0], "-", false);
  const bool star = ends[0] == "*" || ends[0] == "?";
  int64_t start = bounds.min, end = bounds.max, step = 1;
  if (!star) {
    ORRERY_ASSIGN(start, parse_int_or_name(ends[0], bounds));
    end = start;
    if (ends.size() > 2) return invalid(str_cat("too many hyphens: ", text));
    if (ends.size() == 2) {
      ORRERY_ASSIGN(end, parse_int_or_name(ends[1], bounds));
    }
  }
  if (range_and_step.size() > 2) return invalid(str_cat("too many slashes: ", text));
  if (range_and_step.size() == 2) {
    ORRERY_ASSIGN(step, parse_int(range_and_step[1]));
    if (ends.size() == 1) end = bounds.max;
  }
  if (start < bounds.min)
    return invalid(str_cat("beginning of range (", start, ") below minimum (", bounds.min, "): ", text));
  if (end > bounds.max) return invalid(str_cat("end of range (", end, ") above maximum (", bounds.max, "): ", text));
  if (start > end) return invalid(str_cat("beginning of range (", start, ") beyond end of range (", end, "): ", text));
  if (step == 0) return invalid(str_cat("step of range should be a positive number: ", text));
  uint64_t bits = star && step == 1 ? kStar : 0;
  for (int64_t value = start; value <= end; value += step) bits |= uint64_t{1} << value;
  return bits;
}

}  // namespace

Result<CronSchedule> CronSchedule::parse_fields(std::string_view text) {
  const auto fields = parts_of(text, kSpace, true);
  if (fields.size() != kFields) {
    std::string listed;
    for (const std::string_view field : fields) listed += str_cat(listed.empty() ? "" : " ", field);
    return invalid(str_cat("expected exactly 5 fields, found ", uint64_t{fields.size()}, ": [", listed, "]"));
  }
  CronSchedule schedule;
  for (size_t i = 0; i < kFields; ++i)
    for (const std::string_view range : parts_of(fields[i], ",", true)) {
      ORRERY_ASSIGN(const uint64_t bits, parse_range(range, kBounds[i]));
      schedule.fields_[i] |= bits;
    }
  return schedule;
}

Result<CronSchedule> CronSchedule::parse_descriptor(std::string_view text) {
  constexpr std::string_view kEvery = "@every ";
  for (const Descriptor& descriptor : kDescriptors)
    if (text == descriptor.name) return parse_fields(descriptor.fields);
  if (!text.starts_with(kEvery)) return invalid(str_cat("unrecognized descriptor: ", text));
  const std::string_view duration = text.substr(kEvery.size());
  const auto parsed = parse_go_duration(duration);
  if (!parsed) return invalid(str_cat("failed to parse duration ", duration, ": ", parsed.status().message()));
  constexpr Duration kSecond = Duration::seconds(1);
  CronSchedule schedule;
  schedule.period_ = std::max(kSecond, Duration{parsed->ns - parsed->ns % kSecond.ns});
  return schedule;
}

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  if (text.empty()) return invalid("empty spec string");
  TimeZone zone;
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    const size_t equals = text.find('='), space = std::min(text.find(' '), text.size());
    const std::string_view name = text.substr(equals + 1, space - equals - 1);
    const auto found = TimeZone::find(name);
    if (!found) return invalid(str_cat("provided bad location ", name, ": ", found.status().message()));
    zone = *found;
    text = trimmed(text.substr(space), kSpace);
  }
  ORRERY_ASSIGN(CronSchedule schedule, text.starts_with('@') ? parse_descriptor(text) : parse_fields(text));
  schedule.zone_ = std::move(zone);
  return schedule;
}

bool CronSchedule::day_matches(int64_t day, int64_t weekday) const {
  const bool of_month = has(kDayOfMonth, day), of_week = has(kDayOfWeek, weekday);
  if ((fields_[kDayOfMonth] | fields_[kDayOfWeek]) & kStar) return of_month && of_week;
  return of_month || of_week;
}

}  // namespace orrery::api
