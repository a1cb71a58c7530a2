#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace orrery::realmode {

/// Time since 1970 that never goes back: runs with a steady clock and is drawn towards the system
/// clock by at most an eighth of the time that passes, so that a clock set by hand or by NTP
/// neither fires timers in a burst nor stops them. Not thread-safe.
class SteadyTime {
 public:
  /// Readings in nanoseconds: `steady` of a clock that never goes back, `system` since 1970.
  SteadyTime(int64_t steady, int64_t system) : steady_(steady), time_{system} {}
  Time at(int64_t steady, int64_t system);

 private:
  int64_t steady_;
  Time time_;
};

}  // namespace orrery::realmode
