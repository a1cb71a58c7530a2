#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/sched/plugin.h"

namespace orrery::sched {

/// One profile of a KubeSchedulerConfiguration, with defaults applied and plugin sets expanded.
struct Profile {
  struct Enabled {
    std::string name;
    int64_t weight = 0;
  };
  std::string scheduler_name = "default-scheduler";
  /// 0: adaptive (50 - nodes/125 percent, at least 5, at least 100 nodes).
  int32_t percentage_of_nodes_to_score = 0;
  std::map<Point, std::vector<Enabled>> enabled;  // in the order in which they run
  std::map<std::string, api::Json> args;          // by plugin
};

/// A whole kubescheduler.config.k8s.io/v1 KubeSchedulerConfiguration.
struct SchedulerConfig {
  std::vector<Profile> profiles;
  int64_t pod_initial_backoff_seconds = 1;
  int64_t pod_max_backoff_seconds = 10;
};

/// The configuration of a scheduler that is given none: one profile with the default plugins, as
/// far as they exist here (see plugin_registry()).
SchedulerConfig default_scheduler_config();

/// From a parsed configuration file. The default set holds the default plugins that exist here; a
/// plugin that the file names itself and that does not exist is an error that says so, with the
/// field and its line.
Result<SchedulerConfig> parse_scheduler_config(const api::Json& json);

}  // namespace orrery::sched
