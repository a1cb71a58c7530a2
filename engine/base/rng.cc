#include "engine/base/rng.h"

#include <cmath>

#include "engine/base/check.h"

namespace orrery {

uint64_t RngStream::below(uint64_t bound) {
  CHECK(bound > 0);
  using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * bound;
  auto low = static_cast<uint64_t>(product);
  if (low < bound) {
    const uint64_t threshold = (0 - bound) % bound;
    while (low < threshold) {
      product = static_cast<Wide>(next()) * bound;
      low = static_cast<uint64_t>(product);
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

double RngStream::exponential(double mean) { return -mean * std::log1p(-uniform()); }

// Box-Muller, one value per two draws: no cached half, so the state stays the counter alone.
double RngStream::normal() {
  const double u = 1.0 - uniform();
  const double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586476925 * v);
}

}  // namespace orrery
