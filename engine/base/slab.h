#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "engine/base/check.h"

namespace orrery {

/// Values under small reusable handles: where an adapter keeps the outcome that a plain-data event
/// points to. Handles are deterministic (last freed is first reused) and a copied slab answers to
/// the same handles. Generations catch use after take().
template <typename T>
class Slab {
 public:
  /// Never 0.
  uint64_t put(T value) {
    uint32_t index;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
      slots_[index].value = std::move(value);
    } else {
      index = static_cast<uint32_t>(slots_.size());
      slots_.push_back({std::move(value), 1, false});
    }
    slots_[index].used = true;
    return (uint64_t{slots_[index].generation} << 32) | index;
  }
  bool contains(uint64_t handle) const {
    const auto index = static_cast<uint32_t>(handle);
    return index < slots_.size() && slots_[index].used &&
           slots_[index].generation == static_cast<uint32_t>(handle >> 32);
  }
  T& at(uint64_t handle) {
    CHECK(contains(handle)) << "stale handle " << handle;
    return slots_[static_cast<uint32_t>(handle)].value;
  }
  const T& at(uint64_t handle) const { return const_cast<Slab*>(this)->at(handle); }
  /// The value; the handle ends.
  T take(uint64_t handle) {
    T value = std::move(at(handle));
    Slot& slot = slots_[static_cast<uint32_t>(handle)];
    slot.value = T();
    slot.used = false;
    ++slot.generation;
    free_.push_back(static_cast<uint32_t>(handle));
    return value;
  }
  size_t size() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    T value;
    uint32_t generation;
    bool used;
  };
  std::deque<Slot> slots_;  // grows without moving what is there
  std::vector<uint32_t> free_;
};

}  // namespace orrery
