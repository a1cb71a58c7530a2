#pragma once

#include "engine/sched/framework.h"

namespace orrery::sched {

/// What one scheduling cycle works on. Internal to the framework.
struct Framework::Cycle {
  CycleState state;
  std::vector<uint8_t> skip;                     // by plugin: skipped in PreFilter
  std::optional<std::vector<uint32_t>> allowed;  // slots, if PreFilter narrowed the nodes
  std::vector<std::string> narrowed_by;
  std::optional<std::vector<Str>> narrowed;
  std::string rejecting_plugin;
  std::vector<uint32_t> feasible;
  uint32_t start = 0;  // position of the first node looked at
  uint32_t evaluated = 0;
  std::vector<int64_t> totals;
  std::vector<std::vector<int64_t>> scores;  // by score plugin; empty: it skipped
};

/// The reason of nodes that PreFilter plugins left out.
std::string left_out_reason(const std::vector<std::string>& plugins);

}  // namespace orrery::sched
