#pragma once

#include <unordered_set>

#include "engine/base/str.h"

namespace orrery {

/// Makes equal texts share one Str: names, labels, images and resource names repeat thousands of
/// times in a cluster. Belongs to one owner (a decoder, a world); there is no process-wide pool.
class StrPool {
 public:
  /// The pool's Str for `text`, made on first use.
  Str intern(std::string_view text) {
    if (text.empty()) return Str();
    auto it = texts_.find(text);
    return it != texts_.end() ? *it : *texts_.emplace(text).first;
  }
  size_t size() const { return texts_.size(); }
  void clear() { texts_.clear(); }

 private:
  std::unordered_set<Str, StrHash, StrEqual> texts_;
};

}  // namespace orrery
