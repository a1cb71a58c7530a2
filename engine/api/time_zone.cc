#include "engine/api/time_zone.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>

#include "engine/api/zones/zones.h"
#include "engine/base/check.h"

namespace orrery::api {
namespace {

constexpr int64_t kSecondsPerDay = 86400;

std::string_view name_of(std::string_view line) { return line.substr(0, line.find('|')); }

/// The part of the line after the name; "" if there is no such zone.
std::string_view find_line(std::string_view name) {
  const auto* at =
      std::lower_bound(std::begin(kZones), std::end(kZones), name,
                       [](std::string_view line, std::string_view wanted) { return name_of(line) < wanted; });
  if (at == std::end(kZones) || name_of(*at) != name) return "";
  return at->substr(name.size() + 1);
}

bool is_folder(std::string_view name) {
  return std::any_of(std::begin(kZones), std::end(kZones), [&](std::string_view line) {
    return line.size() > name.size() && line.starts_with(name) && line[name.size()] == '/';
  });
}

bool is_path_outside(std::string_view name) {
  return name.starts_with('/') || name.starts_with('\\') || name == ".." || name.starts_with("../") ||
         name.ends_with("/..") || name.find("/../") != std::string_view::npos;
}

/// Reads the numbers of a line one after another.
class Numbers {
 public:
  explicit Numbers(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}
  int64_t next() {
    int64_t number = 0;
    const auto parsed = std::from_chars(at_, end_, number);
    CHECK(parsed.ec == std::errc()) << "zones.txt: " << std::string_view(at_, static_cast<size_t>(end_ - at_));
    at_ = parsed.ptr;
    return number;
  }
  bool skip(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool done() const { return at_ == end_; }

 private:
  const char* at_;
  const char* end_;
};

}  // namespace

bool is_time_zone(std::string_view name) { return !find_line(name).empty(); }

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone zone;
  if (name.empty() || name == "Local") return zone;
  if (is_path_outside(name)) return invalid("time: invalid location name");
  std::string_view line = find_line(name);
  if (line.starts_with('=')) line = find_line(line.substr(1));
  if (line.empty()) return invalid(is_folder(name) ? std::string("is a directory") : str_cat("unknown time zone ", name));
  Numbers numbers(line);
  zone.first_offset_ = numbers.next();
  numbers.skip('|');
  while (!numbers.skip('|')) {
    const int64_t at = numbers.next();
    numbers.skip(':');
    zone.changes_.push_back({at, numbers.next()});
    numbers.skip(' ');
  }
  if (numbers.done()) return zone;
  const auto next = [&] {
    const int64_t number = numbers.next();
    numbers.skip(' ');
    return number;
  };
  const auto next_day = [&] {
    const int64_t month = next(), week = next(), day = next();
    return YearDay{month, week, day, next()};
  };
  const int64_t standard = next(), daylight = next();
  const YearDay begin = next_day();
  zone.rule_.push_back({standard, daylight, begin, next_day()});
  return zone;
}

int64_t TimeZone::day_of(int64_t year, const YearDay& when) {
  const std::chrono::year_month month{std::chrono::year(static_cast<int>(year)),
                                      std::chrono::month(static_cast<unsigned>(when.month))};
  const std::chrono::weekday day(static_cast<unsigned>(when.day));
  const std::chrono::sys_days date =
      when.week == 5 ? std::chrono::sys_days(month / day[std::chrono::last])
                     : std::chrono::sys_days(month / day[static_cast<unsigned>(when.week)]);
  return date.time_since_epoch().count() * kSecondsPerDay + when.seconds;
}

int64_t TimeZone::offset_by_rule(int64_t seconds) const {
  const Rule& rule = rule_.front();
  const std::chrono::sys_days day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds + rule.standard)));
  const int year = static_cast<int>(std::chrono::year_month_day(day).year());
  const int64_t begin = day_of(year, rule.begin) - rule.standard, end = day_of(year, rule.end) - rule.daylight;
  const bool daylight = begin < end ? begin <= seconds && seconds < end : begin <= seconds || seconds < end;
  return daylight ? rule.daylight : rule.standard;
}

int64_t TimeZone::offset_at(int64_t seconds) const {
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), seconds,
                                      [](int64_t at, const Change& change) { return at < change.at; });
  if (after == changes_.end() && !rule_.empty()) return offset_by_rule(seconds);
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

int64_t TimeZone::instant_of(int64_t local) const {
  const int64_t guess = local - offset_at(local);
  return local - offset_at(guess);
}

}  // namespace orrery::api
