#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/time.h"

namespace orrery {

/// base * 2^failures, at most `max`.
struct ExponentialBackoff {
  Duration base;
  Duration max;

  constexpr Duration delay(uint32_t failures) const {
    Duration d = base;
    for (; failures > 0 && d < max; --failures) {
      if (d.ns > max.ns / 2) return max;
      d = d * 2;
    }
    return std::min(d, max);
  }
};

/// A token bucket that starts full: `burst` calls at once, then one per `interval`. Kept as the
/// time at which it will be full again, so it is exact in integers.
class TokenBucket {
 public:
  TokenBucket() = default;
  TokenBucket(Duration interval, int64_t burst) : interval_(interval), burst_(burst) {}
  bool unlimited() const { return interval_.ns == 0; }

  /// Takes a token, of the future if need be: how long the caller has to wait for it.
  Duration reserve(Time now) {
    if (unlimited()) return {};
    full_at_ = std::max(full_at_, now) + interval_;
    return std::max(Duration{}, full_at_ - now - interval_ * burst_);
  }
  /// Takes a token if there is one now.
  bool try_take(Time now) {
    if (unlimited()) return true;
    const Time after = std::max(full_at_, now) + interval_;
    if (after - now > interval_ * burst_) return false;
    full_at_ = after;
    return true;
  }

 private:
  Duration interval_;
  int64_t burst_ = 0;
  Time full_at_{INT64_MIN / 2};
};

}  // namespace orrery
