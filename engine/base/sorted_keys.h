#pragma once

#include <algorithm>
#include <vector>

#include "engine/base/str.h"

namespace orrery {

/// The keys of a hash map in the order of their bytes, brought up to date when somebody asks: many
/// changes between two lists cost one sort. `contains(key)` is what the map says now.
class SortedKeys {
 public:
  /// A key that was not in the map, which holds `size` keys with it.
  template <typename Contains>
  void add(const Str& key, size_t size, Contains contains) {
    // Where nobody lists, what has come and gone must not pile up.
    constexpr size_t kSlack = 64;
    if (added_.size() > 2 * size + kSlack) {
      std::erase_if(added_, [&](const Str& k) { return !contains(k); });
      std::sort(added_.begin(), added_.end());
      added_.erase(std::unique(added_.begin(), added_.end()), added_.end());
    }
    added_.push_back(key);
  }
  /// Some key has left the map.
  void removed() { removed_ = true; }
  /// Keys that the next keys() has to put in their places.
  size_t unsorted() const { return added_.size(); }

  /// Valid until the next change.
  template <typename Contains>
  const std::vector<Str>& keys(Contains contains) {
    if (removed_) {
      std::erase_if(keys_, [&](const Str& key) { return !contains(key); });
      removed_ = false;
    }
    if (added_.empty()) return keys_;
    std::sort(added_.begin(), added_.end());
    const auto middle = static_cast<std::ptrdiff_t>(keys_.size());
    for (Str& key : added_)
      if (contains(key)) keys_.push_back(std::move(key));
    added_ = {};
    std::inplace_merge(keys_.begin(), keys_.begin() + middle, keys_.end());
    // A key that went and came back stands twice.
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    return keys_;
  }

 private:
  std::vector<Str> keys_, added_;
  bool removed_ = false;
};

}  // namespace orrery
