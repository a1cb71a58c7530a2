#pragma once

#include <cstdint>

namespace orrery::realmode {

/// From the system's random numbers.
uint64_t random_seed();

}  // namespace orrery::realmode
