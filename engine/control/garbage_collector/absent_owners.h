#pragma once

#include <cstdint>
#include <unordered_map>

#include "engine/control/garbage_collector/identity.h"

namespace orrery::control {

/// Owners that are known not to exist: the 500 asked for last.
/// Kubernetes v1.32 pkg/controller/garbagecollector/uid_cache.go.
class AbsentOwners {
 public:
  void add(const Identity& owner);
  bool has(const Identity& owner);

 private:
  static constexpr size_t kMax = 500;
  struct Hash {
    size_t operator()(const Identity& id) const;
  };
  std::unordered_map<Identity, uint64_t, Hash> used_;  // when it was asked for last
  uint64_t clock_ = 0;
};

}  // namespace orrery::control
