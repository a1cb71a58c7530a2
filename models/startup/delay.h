#pragma once

#include <string>

#include "engine/base/rng.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery::models {

/// A distribution of delays: how long a start-up, a pull or a run takes.
struct Delay {
  enum class Kind { kConstant, kUniform, kExponential, kLognormal };
  Kind kind = Kind::kConstant;
  double a = 0;  // constant: the value; uniform: low; exponential: mean; lognormal: median [s]
  double b = 0;  // uniform: high [s]; lognormal: sigma of the logarithm

  static Delay constant(double seconds) { return {Kind::kConstant, seconds, 0}; }
  /// "1.5", "uniform(1,3)", "exponential(2)" or "lognormal(2,0.5)"; seconds.
  static Result<Delay> parse(std::string_view text);
  /// Never negative.
  Duration draw(RngStream& rng) const;
};

/// Image pull: `bytes` over a link of `bytes_per_second` after a fixed latency.
Duration pull_time(int64_t bytes, double bytes_per_second, Duration latency);

}  // namespace orrery::models
