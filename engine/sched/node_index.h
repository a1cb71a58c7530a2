#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sched/vector_kernels.h"

namespace orrery::sched {

/// The scores of the nodes for one class of pods, in the order of nodes, with a summary of every
/// kBlock of them: the best of any stretch of the order, and the k-th of equals, cost a walk over
/// summaries. A stretch is given as (start, length) and wraps around at the end of the order.
class NodeIndex {
 public:
  /// The value of a node that is not feasible.
  static constexpr int32_t kNone = INT32_MIN;

  void assign(std::span<const int32_t> values);
  void set(uint32_t position, int32_t value);
  int32_t value(uint32_t position) const { return values_[position]; }
  uint32_t size() const { return static_cast<uint32_t>(values_.size()); }

  struct Stretch {
    uint32_t length = 0;
    uint32_t feasible = 0;
  };
  /// From `start` up to, and without, the feasible node after the first `wanted`; all nodes if there
  /// are no more than `wanted`.
  Stretch stretch_of(uint32_t start, uint32_t wanted) const;

  struct Best {
    int32_t value = kNone;
    uint32_t count = 0;  // of nodes with this value
  };
  Best best(uint32_t start, uint32_t length) const;
  /// The position of the k-th (from 0) node of the stretch whose value is `value`, the stretch's best.
  uint32_t nth(uint32_t start, uint32_t length, int32_t value, uint32_t k) const;
  /// Calls visit(position) for all of them, in order; stops when it returns true.
  template <typename Visit>
  void each(uint32_t start, uint32_t length, int32_t value, Visit visit) const {
    const uint32_t first = std::min(length, size() - start);
    if (each_within(start, start + first, value, visit)) return;
    each_within(0, length - first, value, visit);
  }

 private:
  static constexpr uint32_t kBlock = 64;
  struct Block {
    int32_t best = kNone;
    uint16_t count = 0;     // of nodes with the best value, if there is one
    uint16_t feasible = 0;
  };
  void summarize(Simd simd, uint32_t block);
  void best_within(uint32_t begin, uint32_t end, Best& best) const;
  /// The position of the feasible node number `skip` (from 0) of [begin, end), or `end`; `skip` is
  /// reduced by the feasible nodes passed over.
  uint32_t skip_within(uint32_t begin, uint32_t end, uint32_t& skip) const;

  template <typename Visit>
  bool each_within(uint32_t begin, uint32_t end, int32_t value, Visit& visit) const {
    for (uint32_t i = begin; i < end;) {
      if (i % kBlock == 0 && i + kBlock <= end && blocks_[i / kBlock].best < value) {
        i += kBlock;
        continue;
      }
      if (values_[i] == value && visit(i)) return true;
      ++i;
    }
    return false;
  }

  std::vector<int32_t> values_;
  std::vector<Block> blocks_;
};

}  // namespace orrery::sched
