#include "realmode/daemon/random_seed.h"

#include <sys/random.h>

#include "engine/base/check.h"

namespace orrery::realmode {

uint64_t random_seed() {
  uint64_t seed = 0;
  CHECK(::getrandom(&seed, sizeof(seed), 0) == sizeof(seed)) << "no randomness";
  return seed;
}

}  // namespace orrery::realmode
