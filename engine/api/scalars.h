#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/cow.h"
#include "engine/base/status.h"
#include "engine/base/str.h"
#include "engine/base/time.h"

namespace orrery::api {

/// metav1.Time / metav1.MicroTime as stored in an object: UTC seconds and nanoseconds, or unset
/// (Go's zero time, JSON null). JSON text has whole seconds (Time) or six decimals (MicroTime); the
/// kind of the field, not the value, decides which.
struct Timestamp {
  int64_t seconds = 0;  // since 1970-01-01T00:00:00Z
  int32_t nanos = 0;    // [0, 1e9)
  bool set = false;

  Timestamp() = default;
  Timestamp(Time t)  // NOLINT: implicit by design
      : seconds(t.unix_seconds()),
        nanos(static_cast<int32_t>(t.ns - t.unix_seconds() * 1'000'000'000)),
        set(true) {}
  /// `t` cut to whole seconds: what survives storing a metav1.Time.
  static Timestamp whole_seconds(Time t) { return Timestamp(Time{t.unix_seconds() * 1'000'000'000}); }
  bool is_zero() const { return !set; }
  explicit operator bool() const { return set; }
  /// Saturates outside the range of Time (1677 to 2262).
  Time time() const;
  friend bool operator==(const Timestamp&, const Timestamp&) = default;
  friend auto operator<=>(const Timestamp& a, const Timestamp& b) {
    if (auto c = a.set <=> b.set; c != 0) return c;
    if (auto c = a.seconds <=> b.seconds; c != 0) return c;
    return a.nanos <=> b.nanos;
  }
};

/// Bytes, base64 in JSON. Absent (null) and empty ("") differ, but are semantically equal.
struct Bytes : Str {
  bool present = false;
};

/// A JSON value kept as its text (RawExtension, FieldsV1, custom payloads). Empty text: absent.
struct RawJson {
  Str text;
  bool empty() const { return text.empty(); }
  friend bool operator==(const RawJson&, const RawJson&) = default;
};

/// intstr.IntOrString: a number, or a text such as "25%" or a port name.
struct IntOrString {
  Str text;
  int32_t number = 0;
  bool is_text = false;

  IntOrString() = default;
  IntOrString(int32_t n) : number(n) {}                       // NOLINT: implicit by design
  IntOrString(std::string_view t) : text(t), is_text(true) {}  // NOLINT
  IntOrString(const char* t) : text(t), is_text(true) {}       // NOLINT
  friend bool operator==(const IntOrString& a, const IntOrString& b) {
    return a.is_text == b.is_text && (a.is_text ? a.text == b.text : a.number == b.number);
  }
};

/// metav1.Duration: nanoseconds; JSON text as Go prints durations ("1m30s").
struct ApiDuration {
  int64_t ns = 0;
  Duration duration() const { return {ns}; }
  friend bool operator==(const ApiDuration&, const ApiDuration&) = default;
};

/// RFC 3339 text of metav1.Time ("2025-01-01T00:00:00Z", whole seconds) and metav1.MicroTime (six
/// decimals). Parsing accepts any offset and, for Time, a fraction (which is dropped).
Result<Timestamp> parse_time(std::string_view text);
Result<Timestamp> parse_micro_time(std::string_view text);
std::string format_time(const Timestamp& t);
std::string format_micro_time(const Timestamp& t);
/// With as many decimals as needed (RFC 3339 with nanoseconds).
std::string format_time_nano(const Timestamp& t);
/// "Mon, 02 Jan 2006 15:04:05 +0000".
std::string format_time_rfc1123z(const Timestamp& t);

/// Durations as Go writes them: "1h2m3.5s", "250ms", "0s".
Result<ApiDuration> parse_go_duration(std::string_view text);
std::string format_go_duration(ApiDuration d);

/// intstr.Parse: a number if the text is one, else the text.
IntOrString int_or_string_of(std::string_view text);
/// The number, or the text read as a number (0 if it is none).
int64_t int_value(const IntOrString& value);
/// The number itself, or a percentage of `total` rounded up or down; the error's text is what
/// Kubernetes' GetScaledValueFromIntOrPercent says.
Result<int64_t> scaled_int_or_percent(const IntOrString& value, int64_t total, bool round_up);

}  // namespace orrery::api
