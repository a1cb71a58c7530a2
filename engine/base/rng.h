#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/hash.h"

namespace orrery {

/// A named stream of random numbers, counter based: draw n is a pure function of (seed, name, id,
/// n), so streams are independent of each other, of draw order elsewhere and of the machine, and a
/// copy continues exactly where the original stood. 24 bytes of plain state.
/// Generator: SplitMix64 in counter mode with a keyed double finaliser.
class RngStream {
 public:
  RngStream() = default;
  RngStream(uint64_t seed, std::string_view name, uint64_t id = 0)
      : key_(hash_combine(hash_combine(mix64(seed + 0x632be59bd9b4e019ULL), hash_bytes(name)), id)) {}

  uint64_t next() { return at(counter_++); }
  /// Uniform in [0, bound); bound > 0. Exact (rejection, after Lemire 2019).
  uint64_t below(uint64_t bound);
  /// Uniform in [0, 1) with 53 random bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Exponential with the given mean; standard normal.
  double exponential(double mean);
  double normal();
  uint64_t counter() const { return counter_; }

 private:
  uint64_t at(uint64_t n) const { return mix64(mix64(n * 0x9e3779b97f4a7c15ULL + key_) ^ key_); }
  uint64_t key_ = 0;
  uint64_t counter_ = 0;
};

/// Hands out the streams of one world: rng.stream("sched/tie", pod).
class Rng {
 public:
  explicit Rng(uint64_t seed = 0) : seed_(seed) {}
  RngStream stream(std::string_view name, uint64_t id = 0) const {
    return RngStream(seed_, name, id);
  }
  uint64_t seed() const { return seed_; }

 private:
  uint64_t seed_;
};

}  // namespace orrery
