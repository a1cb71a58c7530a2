#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/base/str.h"
#include "engine/base/time.h"

namespace orrery {

/// What a controller knows it has asked for but not yet seen in its cache: until a key's
/// expectations are satisfied its cache is stale, and acting on it would act twice. Deletions are
/// expected by key, since a pod can be seen going more than once.
/// Kubernetes v1.32 pkg/controller, UIDTrackingControllerExpectations.
class Expectations {
 public:
  static constexpr Duration kTimeout = Duration::minutes(5);

  void expect_creations(const Str& key, int64_t count, Time now);
  void expect_deletions(const Str& key, std::span<const Str> deletions, Time now);
  /// One more of either kind, keeping what is expected already.
  void raise(const Str& key, int64_t creations, std::span<const Str> deletions, Time now);
  void creation_observed(const Str& key);
  void deletion_observed(const Str& key, const Str& deleted);
  /// Nothing is outstanding, or what is has been for more than kTimeout.
  bool satisfied(const Str& key, Time now) const;
  void forget(const Str& key) { keys_.erase(key); }
  /// Everything expected has been seen.
  void clear() { keys_.clear(); }

 private:
  struct Entry {
    int64_t creations = 0;
    std::vector<Str> deletions;  // sorted
    Time since;
  };
  std::unordered_map<Str, Entry> keys_;  // never iterated
};

}  // namespace orrery
