#include "realmode/loop/steady_time.h"

#include <algorithm>

#include "engine/base/check.h"

namespace orrery::realmode {

Time SteadyTime::at(int64_t steady, int64_t system) {
  constexpr int64_t kSlewDivisor = 8;
  const int64_t passed = steady - steady_;
  CHECK(passed >= 0) << "the steady clock went back by " << -passed << " ns";
  const int64_t error = system - (time_.ns + passed);
  const int64_t slew = passed / kSlewDivisor;
  steady_ = steady;
  time_.ns += passed + std::clamp(error, -slew, slew);
  return time_;
}

}  // namespace orrery::realmode
