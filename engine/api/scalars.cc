#include "engine/api/scalars.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace orrery::api {
namespace {

/// Days from 1970-01-01 of a proleptic Gregorian date.
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms".
int64_t days_from_civil(int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<int64_t>(doe) - 719468;
}

struct Civil {
  int64_t year;
  unsigned month, day, hour, minute, second, weekday;
};

Civil civil_of(int64_t seconds) {
  int64_t days = seconds / 86400, rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  const auto weekday = static_cast<unsigned>(((days + 4) % 7 + 7) % 7);
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto doe = static_cast<unsigned>(days - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned day = doy - (153 * mp + 2) / 5 + 1;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  const auto r = static_cast<unsigned>(rest);
  return {static_cast<int64_t>(yoe) + era * 400 + (month <= 2), month, day, r / 3600, r / 60 % 60, r % 60, weekday};
}

unsigned month_days(int64_t year, unsigned month) {
  static constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

/// Reads fixed-width fields of a timestamp.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool number(size_t width, unsigned* out) {
    if (pos_ + width > text_.size()) return false;
    *out = 0;
    for (size_t i = 0; i < width; ++i) {
      const char c = text_[pos_ + i];
      if (c < '0' || c > '9') return false;
      *out = *out * 10 + static_cast<unsigned>(c - '0');
    }
    pos_ += width;
    return true;
  }
  bool literal(char c) {
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  /// Digits after the point, as nanoseconds (further ones are dropped); false if there are none.
  bool fraction(int32_t* nanos, size_t* count) {
    *nanos = 0;
    *count = 0;
    int32_t unit = 100'000'000;
    for (; pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9'; ++pos_, ++*count) {
      *nanos += (text_[pos_] - '0') * unit;
      unit /= 10;
    }
    return *count > 0;
  }
  bool done() const { return pos_ == text_.size(); }

 private:
  std::string_view text_;
  size_t pos_ = 0;
};

bool scan_offset(Scanner& in, int64_t* seconds) {
  *seconds = 0;
  if (in.literal('Z')) return true;
  const bool minus = in.literal('-');
  unsigned hours = 0, minutes = 0;
  if (!minus && !in.literal('+')) return false;
  if (!in.number(2, &hours) || !in.literal(':') || !in.number(2, &minutes)) return false;
  if (hours > 24 || minutes > 60) return false;
  *seconds = int64_t{hours} * 3600 + int64_t{minutes} * 60;
  if (minus) *seconds = -*seconds;
  return true;
}

// `decimals`: exactly that many after the point; 0: any, or no point at all.
bool scan_time(std::string_view text, size_t decimals, Timestamp* out) {
  Scanner in(text);
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!in.number(4, &year) || !in.literal('-') || !in.number(2, &month) || !in.literal('-') ||
      !in.number(2, &day) || !in.literal('T') || !in.number(2, &hour) || !in.literal(':') ||
      !in.number(2, &minute) || !in.literal(':') || !in.number(2, &second))
    return false;
  if (month < 1 || month > 12 || day < 1 || day > month_days(year, month)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  int32_t nanos = 0;
  size_t count = 0;
  if ((in.literal('.') || in.literal(',')) && !in.fraction(&nanos, &count)) return false;
  if (decimals > 0 && count != decimals) return false;
  int64_t offset = 0;
  if (!scan_offset(in, &offset) || !in.done()) return false;
  out->seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  out->nanos = nanos;
  out->set = true;
  return true;
}

// Every object has several times, so their digits are written by hand.
std::string date_and_time(const Civil& c) {
  if (c.year < 0 || c.year > 9999) {
    char buffer[40];
    std::snprintf(buffer, sizeof(buffer), "%04lld-%02u-%02uT%02u:%02u:%02u", static_cast<long long>(c.year),
                  c.month, c.day, c.hour, c.minute, c.second);
    return buffer;
  }
  std::string text = "0000-00-00T00:00:00";
  const auto two = [&text](size_t at, unsigned value) {
    text[at] = static_cast<char>('0' + value / 10);
    text[at + 1] = static_cast<char>('0' + value % 10);
  };
  const auto year = static_cast<unsigned>(c.year);
  two(0, year / 100);
  two(2, year % 100);
  two(5, c.month);
  two(8, c.day);
  two(11, c.hour);
  two(14, c.minute);
  two(17, c.second);
  return text;
}

// Go's zero time, 0001-01-01T00:00:00Z, is what "unset" means.
constexpr int64_t kGoZeroSeconds = -62135596800;

Timestamp normalized(Timestamp t) {
  if (t.seconds == kGoZeroSeconds && t.nanos == 0) return Timestamp();
  return t;
}

}  // namespace

Time Timestamp::time() const {
  constexpr int64_t kMax = INT64_MAX / 1'000'000'000;
  if (!set || seconds < -kMax) return Time{INT64_MIN};
  if (seconds >= kMax) return Time{INT64_MAX};
  return Time{seconds * 1'000'000'000 + nanos};
}

Result<Timestamp> parse_time(std::string_view text) {
  Timestamp t;
  if (!scan_time(text, 0, &t))
    return bad_request(str_cat("\"", text, "\" is no RFC 3339 time, such as 2025-01-31T15:04:05Z"));
  return normalized(t);
}

Result<Timestamp> parse_micro_time(std::string_view text) {
  Timestamp t;
  if (!scan_time(text, 6, &t))
    return bad_request(str_cat("\"", text, "\" is no RFC 3339 time with six decimals, such as "
                               "2025-01-31T15:04:05.000000Z"));
  return normalized(t);
}

std::string format_time(const Timestamp& t) { return date_and_time(civil_of(t.seconds)) + "Z"; }

std::string format_micro_time(const Timestamp& t) {
  char micros[16];
  std::snprintf(micros, sizeof(micros), ".%06dZ", t.nanos / 1000);
  return date_and_time(civil_of(t.seconds)) + micros;
}

std::string format_time_nano(const Timestamp& t) {
  std::string text = date_and_time(civil_of(t.seconds));
  if (t.nanos != 0) {
    char nanos[16];
    std::snprintf(nanos, sizeof(nanos), ".%09d", t.nanos);
    text += nanos;
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

std::string format_time_rfc1123z(const Timestamp& t) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Civil c = civil_of(t.seconds);
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%s, %02u %s %04lld %02u:%02u:%02u +0000", kDays[c.weekday], c.day,
                kMonths[c.month - 1], static_cast<long long>(c.year), c.hour, c.minute, c.second);
  return buffer;
}

namespace {

struct DurationUnit {
  std::string_view name;
  int64_t ns;
};
constexpr std::array<DurationUnit, 8> kUnits = {{{"ns", 1},
                                                 {"us", 1'000},
                                                 {"\xc2\xb5s", 1'000},
                                                 {"\xce\xbcs", 1'000},
                                                 {"ms", 1'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"h", 3'600'000'000'000}}};

// One "12.5ms" at the start of `text`; adds it to *total, of at most 2^63.
bool scan_duration_part(std::string_view& text, uint64_t* total) {
  const size_t digits = text.find_first_not_of("0123456789");
  const size_t point = digits == std::string_view::npos ? text.size() : digits;
  size_t end = point;
  if (end < text.size() && text[end] == '.') {
    end = text.find_first_not_of("0123456789", end + 1);
    if (end == std::string_view::npos) end = text.size();
  }
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals = end > point ? text.substr(point + 1, end - point - 1) : std::string_view();
  if (whole.empty() && decimals.empty()) return false;
  size_t unit_end = text.find_first_of("0123456789.", end);
  if (unit_end == std::string_view::npos) unit_end = text.size();
  const std::string_view name = text.substr(end, unit_end - end);
  text.remove_prefix(unit_end);
  for (const DurationUnit& unit : kUnits) {
    if (unit.name != name) continue;
    uint64_t number = 0;
    for (char c : whole) {
      if (number > (uint64_t{1} << 63) / 10) return false;
      number = number * 10 + static_cast<uint64_t>(c - '0');
    }
    if (number > (uint64_t{1} << 63) / static_cast<uint64_t>(unit.ns)) return false;
    number *= static_cast<uint64_t>(unit.ns);
    uint64_t fraction = 0;
    double scale = 1;
    for (char c : decimals) {
      if (fraction > (uint64_t{1} << 63) / 10 - 1) break;
      fraction = fraction * 10 + static_cast<uint64_t>(c - '0');
      scale *= 10;
    }
    number += static_cast<uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit.ns) / scale));
    *total += number;
    return *total <= (uint64_t{1} << 63);
  }
  return false;
}

}  // namespace

Result<ApiDuration> parse_go_duration(std::string_view text) {
  const auto wrong = [&] { return bad_request(str_cat("\"", text, "\" is no duration, such as 1m30s")); };
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return ApiDuration{0};
  if (rest.empty()) return wrong();
  uint64_t total = 0;
  while (!rest.empty())
    if (!scan_duration_part(rest, &total)) return wrong();
  if (!negative && total > INT64_MAX) return wrong();
  return ApiDuration{static_cast<int64_t>(negative ? 0 - total : total)};
}

std::string format_go_duration(ApiDuration d) {
  if (d.ns == 0) return "0s";
  const bool negative = d.ns < 0;
  const uint64_t ns = negative ? 0 - static_cast<uint64_t>(d.ns) : static_cast<uint64_t>(d.ns);
  const auto decimal = [](uint64_t whole, uint64_t rest, int digits) {
    std::string text = std::to_string(whole);
    if (rest == 0) return text;
    std::string decimals = std::to_string(rest);
    decimals.insert(0, static_cast<size_t>(digits) - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return text + "." + decimals;
  };
  std::string text = negative ? "-" : "";
  if (ns < 1'000) return text + std::to_string(ns) + "ns";
  if (ns < 1'000'000) return text + decimal(ns / 1'000, ns % 1'000, 3) + "\xc2\xb5s";
  if (ns < 1'000'000'000) return text + decimal(ns / 1'000'000, ns % 1'000'000, 6) + "ms";
  const uint64_t seconds = ns / 1'000'000'000;
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
  if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + "m";
  return text + decimal(seconds % 60, ns % 1'000'000'000, 9) + "s";
}

namespace {

enum class Parsed { kOk, kSyntax, kRange };

// An optional sign and digits, the whole text.
Parsed parse_int(std::string_view text, int64_t* out) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return Parsed::kSyntax;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (text.empty() || end != text.data() + text.size()) return Parsed::kSyntax;
  if (error == std::errc::result_out_of_range) return Parsed::kRange;
  return error == std::errc() ? Parsed::kOk : Parsed::kSyntax;
}

}  // namespace

IntOrString int_or_string_of(std::string_view text) {
  int64_t number = 0;
  if (parse_int(text, &number) == Parsed::kOk && number >= INT32_MIN && number <= INT32_MAX)
    return IntOrString(static_cast<int32_t>(number));
  return IntOrString(text);
}

int64_t int_value(const IntOrString& value) {
  if (!value.is_text) return value.number;
  int64_t number = 0;
  return parse_int(value.text, &number) == Parsed::kOk ? number : 0;
}

Result<int64_t> scaled_int_or_percent(const IntOrString& value, int64_t total, bool round_up) {
  if (!value.is_text) return int64_t{value.number};
  std::string_view text = value.text.view();
  if (!text.ends_with('%'))
    return bad_request("invalid value for IntOrString: invalid type: string is not a percentage");
  text.remove_suffix(1);
  int64_t percent = 0;
  if (const Parsed parsed = parse_int(text, &percent); parsed != Parsed::kOk)
    return bad_request(str_cat("invalid value for IntOrString: invalid value \"", value.text,
                               "\": strconv.Atoi: parsing \"", text,
                               parsed == Parsed::kRange ? "\": value out of range" : "\": invalid syntax"));
  const double exact = static_cast<double>(percent) * static_cast<double>(total) / 100;
  return static_cast<int64_t>(round_up ? std::ceil(exact) : std::floor(exact));
}

}  // namespace orrery::api
