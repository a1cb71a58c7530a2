#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/base/str.h"

namespace orrery {

inline uint64_t key_hash(const Str& key) { return mix64(key.hash()); }
inline uint64_t key_hash(uint64_t key) { return mix64(key + 0x9e3779b97f4a7c15ULL); }

/// Keys (Str or integers) under small dense numbers, "slots", so that what is kept per key lives in
/// plain vectors beside it. Slots are reused, last freed first: the numbers depend on the order of
/// calls only, never on hash values. No allocation once it has grown to its peak. Copyable.
template <typename Key>
class KeyTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t find(const Key& key) const {
    return find(key_hash(key), [&](const Key& other) { return other == key; });
  }
  /// By the key_hash() of a key and a test for it, where making the key would cost more.
  template <typename IsKey>
  uint32_t find(uint64_t hash, IsKey is_key) const {
    if (cells_.empty()) return kNone;
    for (size_t at = hash & (cells_.size() - 1);; at = next(at)) {
      if (cells_[at] == kNone || is_key(slots_[cells_[at]].key)) return cells_[at];
    }
  }
  /// The key's slot, and whether it is new.
  std::pair<uint32_t, bool> insert(const Key& key) {
    if (const uint32_t slot = find(key); slot != kNone) return {slot, false};
    if ((used_ + 1) * 2 > cells_.size()) grow();
    uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(slots_.size());
      slots_.push_back({key, true});
    } else {
      slot = free_.back();
      free_.pop_back();
      slots_[slot] = {key, true};
    }
    place(slot);
    ++used_;
    return {slot, true};
  }
  void erase(uint32_t slot) {
    CHECK(contains(slot)) << "slot " << slot;
    size_t at = home(slots_[slot].key);
    while (cells_[at] != slot) at = next(at);
    close_gap(at);
    slots_[slot] = {Key(), false};
    free_.push_back(slot);
    --used_;
  }
  bool contains(uint32_t slot) const { return slot < slots_.size() && slots_[slot].used; }
  const Key& key(uint32_t slot) const { return slots_[slot].key; }
  size_t size() const { return used_; }
  /// One more than the largest slot ever given out.
  uint32_t slot_limit() const { return static_cast<uint32_t>(slots_.size()); }

 private:
  struct Slot {
    Key key;
    bool used;
  };
  size_t home(const Key& key) const { return key_hash(key) & (cells_.size() - 1); }
  size_t next(size_t at) const { return (at + 1) & (cells_.size() - 1); }
  void place(uint32_t slot) {
    size_t at = home(slots_[slot].key);
    while (cells_[at] != kNone) at = next(at);
    cells_[at] = slot;
  }
  // Linear probing without tombstones: later members of the run move up into the gap.
  void close_gap(size_t gap) {
    for (size_t at = next(gap); cells_[at] != kNone; at = next(at)) {
      const size_t distance = (at - home(slots_[cells_[at]].key)) & (cells_.size() - 1);
      if (distance >= ((at - gap) & (cells_.size() - 1))) {
        cells_[gap] = cells_[at];
        gap = at;
      }
    }
    cells_[gap] = kNone;
  }
  void grow() {
    cells_.assign(cells_.empty() ? 16 : cells_.size() * 2, kNone);
    for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].used) place(slot);
    }
  }

  std::vector<uint32_t> cells_;  // open addressing; size a power of two
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t used_ = 0;
};

}  // namespace orrery
