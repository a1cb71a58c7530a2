#include <algorithm>
#include <array>

#include "engine/sched/plugins/entries.h"

namespace orrery::sched {

std::span<const PluginEntry> plugin_registry() {
  static const auto kEntries = [] {
    std::array entries = {
        scheduling_gates_entry(), priority_sort_entry(), node_unschedulable_entry(), node_name_entry(),
        taint_toleration_entry(), node_affinity_entry(), node_ports_entry(), node_resources_fit_entry(),
        balanced_allocation_entry(), image_locality_entry(), default_binder_entry(), gpu_share_entry(),
        gpu_fgd_entry(), gpu_best_fit_entry(), gpu_dot_prod_entry(), gpu_packing_entry(),
        gpu_clustering_entry(), gpu_random_entry()};
    std::sort(entries.begin(), entries.end(), [](const PluginEntry& a, const PluginEntry& b) { return a.name < b.name; });
    return entries;
  }();
  return kEntries;
}

const PluginEntry* find_plugin(std::string_view name) {
  for (const PluginEntry& entry : plugin_registry())
    if (entry.name == name) return &entry;
  return nullptr;
}

}  // namespace orrery::sched
