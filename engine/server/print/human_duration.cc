#include "engine/server/print/human_duration.h"

#include "engine/base/str.h"

namespace orrery::server {
namespace {

constexpr int64_t kMinute = 60, kHour = 3600, kDay = 86400, kYear = 365 * kDay;

// "3m5s", or "3m" if the rest is 0.
std::string two_units(int64_t whole, char unit, int64_t rest, char rest_unit) {
  return rest == 0 ? str_cat(whole, unit) : str_cat(whole, unit, rest, rest_unit);
}

}  // namespace

std::string human_duration(Duration d) {
  const int64_t s = d.ns / 1'000'000'000;
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 2 * kMinute) return str_cat(s, "s");
  if (s < 10 * kMinute) return two_units(s / kMinute, 'm', s % kMinute, 's');
  if (s < 3 * kHour) return str_cat(s / kMinute, "m");
  if (s < 8 * kHour) return two_units(s / kHour, 'h', s / kMinute % 60, 'm');
  if (s < 2 * kDay) return str_cat(s / kHour, "h");
  if (s < 8 * kDay) return two_units(s / kDay, 'd', s / kHour % 24, 'h');
  if (s < 2 * kYear) return str_cat(s / kDay, "d");
  if (s < 8 * kYear) return two_units(s / kYear, 'y', s / kDay % 365, 'd');
  return str_cat(s / kYear, "y");
}

std::string short_human_duration(Duration d) {
  const int64_t s = d.ns / 1'000'000'000;
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < kMinute) return str_cat(s, "s");
  if (s < kHour) return str_cat(s / kMinute, "m");
  if (s < kDay) return str_cat(s / kHour, "h");
  return s < kYear ? str_cat(s / kDay, "d") : str_cat(s / kYear, "y");
}

std::string age_text(const api::Timestamp& t, Time now) {
  return t.is_zero() ? "<unknown>" : human_duration(now - t.time());
}

}  // namespace orrery::server
