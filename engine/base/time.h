#pragma once

#include <compare>
#include <cstdint>

namespace orrery {

/// A span of time in integer nanoseconds.
struct Duration {
  int64_t ns = 0;

  static constexpr Duration nanos(int64_t n) { return {n}; }
  static constexpr Duration micros(int64_t n) { return {n * 1'000}; }
  static constexpr Duration millis(int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration seconds(int64_t n) { return {n * 1'000'000'000}; }
  static constexpr Duration minutes(int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(int64_t n) { return seconds(n * 3600); }
  static constexpr Duration max() { return {INT64_MAX}; }

  constexpr double to_seconds() const { return static_cast<double>(ns) / 1e9; }
  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration d) const { return {ns + d.ns}; }
  constexpr Duration operator-(Duration d) const { return {ns - d.ns}; }
  constexpr Duration operator*(int64_t k) const { return {ns * k}; }
  constexpr Duration operator/(int64_t k) const { return {ns / k}; }
};

/// The nearest Duration to a number of seconds, saturating at the ends of the range.
constexpr Duration duration_from_seconds(double seconds) {
  const double ns = seconds * 1e9;
  if (ns >= 9.2233720368547e18) return {INT64_MAX};
  if (ns <= -9.2233720368547e18) return {INT64_MIN};
  return {static_cast<int64_t>(ns < 0 ? ns - 0.5 : ns + 0.5)};
}

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z on the clock of the world that the code
/// runs in (virtual in a simulation, the system's in a real cluster). Code in engine/ gets it from
/// Ctx only.
struct Time {
  int64_t ns = 0;

  static constexpr Time from_unix_seconds(int64_t s) { return {s * 1'000'000'000}; }
  static constexpr Time max() { return {INT64_MAX}; }
  constexpr int64_t unix_seconds() const {
    return ns >= 0 ? ns / 1'000'000'000 : -((-ns + 999'999'999) / 1'000'000'000);
  }
  constexpr auto operator<=>(const Time&) const = default;
  constexpr Time operator+(Duration d) const { return {ns + d.ns}; }
  constexpr Time operator-(Duration d) const { return {ns - d.ns}; }
  constexpr Duration operator-(Time t) const { return {ns - t.ns}; }
};

}  // namespace orrery
