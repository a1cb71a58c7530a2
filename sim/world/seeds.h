#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace orrery::sim {

/// The seeds of "7" or "1..10", at most a million.
Result<std::vector<uint64_t>> parse_seeds(std::string_view text);

}  // namespace orrery::sim
