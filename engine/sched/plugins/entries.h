#pragma once

#include "engine/api/names.h"
#include "engine/sched/plugin.h"

namespace orrery::sched {

/// For plugins that take no arguments.
template <typename T>
Result<std::unique_ptr<Plugin>> make_plain(const api::Json& args) {
  for (const auto& member : args.members())
    if (member.key != "apiVersion" && member.key != "kind")
      return bad_request(str_cat("args.", member.key, ": unknown field; the plugin takes no arguments"));
  return std::unique_ptr<Plugin>(std::make_unique<T>());
}

// One for each plugin, defined beside it; listed in registry.cc.
PluginEntry scheduling_gates_entry();
PluginEntry priority_sort_entry();
PluginEntry node_unschedulable_entry();
PluginEntry node_name_entry();
PluginEntry taint_toleration_entry();
PluginEntry node_affinity_entry();
PluginEntry node_ports_entry();
PluginEntry node_resources_fit_entry();
PluginEntry balanced_allocation_entry();
PluginEntry image_locality_entry();
PluginEntry default_binder_entry();
PluginEntry gpu_share_entry();
PluginEntry gpu_fgd_entry();
PluginEntry gpu_best_fit_entry();
PluginEntry gpu_dot_prod_entry();
PluginEntry gpu_packing_entry();
PluginEntry gpu_clustering_entry();
PluginEntry gpu_random_entry();

}  // namespace orrery::sched
