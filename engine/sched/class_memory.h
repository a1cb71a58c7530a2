#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/sched/node_index.h"

namespace orrery::sched {

/// What the node-local plugins of a profile have said about one class of pods, node by node. The
/// arrays go by node slot.
struct ClassMemory {
  static constexpr uint8_t kUnknown = 0, kFeasible = 1, kRejectedBase = 2;

  std::vector<uint8_t> verdict;   // kUnknown, kFeasible, kRejectedBase + number of the filter
  std::vector<uint8_t> code;      // PluginCode of a rejection
  std::vector<uint32_t> detail;   // of a rejection
  /// By score plugin: raw scores of feasible nodes. An empty array: all are 0. Not kept while complete.
  std::vector<std::vector<int32_t>> raw;

  uint64_t seen = 0;              // position in the log of changes up to which this holds
  uint64_t epoch = 0;             // of the cluster state
  uint64_t used = 0;              // the cycle that used it last
  uint32_t uses = 0;

  /// Every node is known and `index` holds the weighted scores by position.
  bool complete = false;
  NodeIndex index;
  /// The cluster's epoch in which a score that is compared among nodes was not 0: then the index is
  /// of no use. 0: none.
  uint64_t compares_in = 0;

  /// Why no node is feasible, until something about that changes.
  bool explained = false;
  std::string message;
  std::vector<uint16_t> rejected_by;

  int32_t raw_score(size_t score, uint32_t slot) const { return raw[score].empty() ? 0 : raw[score][slot]; }
};

}  // namespace orrery::sched
