#include "engine/server/validation/cron_schedule.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "engine/api/names.h"
#include "engine/server/validation/text_rules.h"
#include "engine/server/validation/time_zones.h"

namespace orrery::server {
namespace {

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kDays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Bounds {
  int64_t min, max;
  std::span<const std::string_view> names;  // of min, min + 1, ...
};
constexpr Bounds kFields[] = {{0, 59, {}}, {0, 23, {}}, {1, 31, {}}, {1, 12, kMonths}, {0, 6, kDays}};

std::string parse_int(std::string_view text, int64_t* out) {
  const bool negative = text.starts_with('-'), sign = negative || text.starts_with('+');
  const std::string_view digits = text.substr(sign ? 1 : 0);
  const bool all_digits = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto failed = [&](const char* why) {
    return str_cat("failed to parse int from ", text, ": strconv.Atoi: parsing ", api::quoted(text), ": ", why);
  };
  if (digits.empty() || !all_digits) return failed("invalid syntax");
  if (digits.size() > 18) return failed("value out of range");
  *out = 0;
  for (const char c : digits) *out = *out * 10 + (c - '0');
  if (negative && *out > 0) return str_cat("negative number (-", *out, ") not allowed: ", text);
  return "";
}

std::string parse_int_or_name(std::string_view text, const Bounds& bounds, int64_t* out) {
  const auto it = std::find(bounds.names.begin(), bounds.names.end(), lower(text));
  if (it == bounds.names.end()) return parse_int(text, out);
  *out = bounds.min + (it - bounds.names.begin());
  return "";
}

// number | number-number | *, each with an optional /step.
std::string check_range(std::string_view text, const Bounds& bounds) {
  const auto range_and_step = split(text, '/');
  const auto ends = split(range_and_step[0], '-');
  int64_t start = bounds.min, end = bounds.max, step = 1;
  if (ends[0] != "*" && ends[0] != "?") {
    if (std::string wrong = parse_int_or_name(ends[0], bounds, &start); !wrong.empty()) return wrong;
    end = start;
    if (ends.size() > 2) return str_cat("too many hyphens: ", text);
    if (ends.size() == 2)
      if (std::string wrong = parse_int_or_name(ends[1], bounds, &end); !wrong.empty()) return wrong;
  }
  if (range_and_step.size() > 2) return str_cat("too many slashes: ", text);
  if (range_and_step.size() == 2) {
    if (std::string wrong = parse_int(range_and_step[1], &step); !wrong.empty()) return wrong;
    if (ends.size() == 1) end = bounds.max;
  }
  if (start < bounds.min) return str_cat("beginning of range (", start, ") below minimum (", bounds.min, "): ", text);
  if (end > bounds.max) return str_cat("end of range (", end, ") above maximum (", bounds.max, "): ", text);
  if (start > end) return str_cat("beginning of range (", start, ") beyond end of range (", end, "): ", text);
  if (step == 0) return str_cat("step of range should be a positive number: ", text);
  return "";
}

std::string check_descriptor(std::string_view text) {
  constexpr std::string_view kEvery = "@every ";
  if (is_one_of(text, {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})) return "";
  if (!text.starts_with(kEvery)) return str_cat("unrecognized descriptor: ", text);
  const std::string_view duration = text.substr(kEvery.size());
  const auto parsed = api::parse_go_duration(duration);
  return parsed.is_ok() ? "" : str_cat("failed to parse duration ", duration, ": ", parsed.status().message());
}

std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  std::vector<std::string_view> out;
  for (;;) {
    const size_t start = text.find_first_not_of(kSpace);
    if (start == std::string_view::npos) return out;
    text.remove_prefix(start);
    const size_t end = std::min(text.find_first_of(kSpace), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

}  // namespace

std::string check_cron_schedule(std::string_view schedule) {
  if (schedule.empty()) return "empty spec string";
  if (schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=")) {
    const size_t equals = schedule.find('='), space = std::min(schedule.find(' '), schedule.size());
    const std::string_view zone = schedule.substr(equals + 1, space - equals - 1);
    if (!zone.empty() && zone != "Local" && !is_time_zone(zone))
      return str_cat("provided bad location ", zone, ": unknown time zone ", zone);
    schedule = trim_space(schedule.substr(space));
  }
  if (schedule.starts_with('@')) return check_descriptor(schedule);
  const auto fields = words(schedule);
  if (fields.size() != std::size(kFields)) {
    std::string text = str_cat("expected exactly 5 fields, found ", uint64_t{fields.size()}, ": [");
    for (const std::string_view field : fields) text += str_cat(text.back() == '[' ? "" : " ", field);
    return text + "]";
  }
  for (size_t i = 0; i < fields.size(); ++i)
    for (const std::string_view range : split(fields[i], ','))
      if (!range.empty())
        if (std::string wrong = check_range(range, kFields[i]); !wrong.empty()) return wrong;
  return "";
}

bool is_time_zone(std::string_view name) {
  return std::binary_search(std::begin(kTimeZones), std::end(kTimeZones), name);
}

}  // namespace orrery::server
