#include <algorithm>

#include "engine/api/names.h"
#include "engine/sched/cycle.h"

namespace orrery::sched {

Explanation Framework::explain(const PodInfo& pod, const ClusterState& state, RngStream& rng) {
  Explanation out;
  Cycle cycle;
  if (state.node_count() == 0) {
    out.message = "no nodes available to schedule pods";
    return out;
  }
  out.pre_filter = run_pre_filters(pod, state, cycle);
  out.plugin = cycle.rejecting_plugin;
  out.narrowed = cycle.narrowed;
  if (!out.pre_filter.ok()) {
    out.message = str_cat("0/", uint64_t{state.node_count()}, " nodes are available: ", api::join(out.pre_filter.reasons, ", "), ".");
    return out;
  }
  choose_active(*pod.cls, state, cycle);
  ClassMemory memory;
  evaluate_all(*pod.cls, state, memory);
  std::vector<uint16_t> rejected_by;
  for (uint32_t slot : state.order()) {
    Explanation::Node node;
    node.name = state.node(slot).name;
    const bool left_out = cycle.allowed && std::find(cycle.allowed->begin(), cycle.allowed->end(), slot) == cycle.allowed->end();
    if (left_out) {
      node.code = PluginCode::kUnschedulableAndUnresolvable;
      node.reasons = {left_out_reason(cycle.narrowed_by)};
    } else {
      node.feasible = memory.verdict[slot] == ClassMemory::kFeasible;
      if (node.feasible) {
        cycle.feasible.push_back(slot);
      } else {
        const uint16_t p = filters_[memory.verdict[slot] - ClassMemory::kRejectedBase];
        node.plugin = std::string(plugins_[p]->name());
        node.code = static_cast<PluginCode>(memory.code[slot]);
        node.reasons = plugins_[p]->reasons(*pod.cls, pod.cls->data[p].get(), state, slot, memory.detail[slot]);
      }
    }
    out.nodes.push_back(std::move(node));
  }
  if (cycle.feasible.empty()) {
    out.message = fit_message(pod, state, memory, cycle, &rejected_by);
    return out;
  }
  score(pod, state, memory, cycle, rng);
  size_t i = 0;
  for (Explanation::Node& node : out.nodes) {
    if (!node.feasible) continue;
    for (size_t s = 0; s < scores_.size(); ++s)
      if (!cycle.scores[s].empty()) node.scores.emplace_back(plugins_[scores_[s].plugin]->name(), cycle.scores[s][i]);
    node.total = cycle.totals[i++];
  }
  return out;
}

}  // namespace orrery::sched
