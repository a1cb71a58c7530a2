#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/api/yaml.h"
#include "engine/base/time.h"
#include "engine/sched/profile.h"
#include "engine/ports/api.h"
#include "engine/sched/framework.h"
#include "sim/node/sim_runtime.h"
#include "sim/world/overrides.h"
#include "traces/trace.h"

namespace orrery::sim {

/// One source of nodes: exactly one of a trace, a group, or manifests.
struct NodeSource {
  Duration at;                      // when they join
  const traces::Format* format = nullptr;
  std::string path;                 // of the trace's node list, or of manifests
  traces::NodeShape shape;          // group: each node
  int64_t count = 0;                // group
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::string> zones;   // group: in turn
};

/// One source of work: a trace, generated Deployments or Jobs, or manifests.
struct WorkloadSource {
  enum class Kind { kTrace, kDeployments, kJobs, kManifests };
  Kind kind = Kind::kTrace;
  std::string ns = "default";
  Duration at;                      // when it begins
  // kTrace
  const traces::Format* format = nullptr;
  std::string path;
  bool shuffle = false;
  double inflate_gpu_to = 0;        // ratio of the cluster's GPUs; 0: as it is
  bool sequential = false;          // one pod a second, whatever the trace's times say
  bool stay = false;                // ignore lifetimes
  double time_scale = 1;
  int64_t limit = 0;                // pods; 0: all
  int64_t resample = 0;             // so many pods drawn with replacement; 0: as they are
  bool delete_unschedulable = false;
  // kDeployments, kJobs
  std::string name;
  int64_t count = 0;
  int64_t replicas = 1;
  int64_t total_pods = 0;           // over all of them, instead of replicas of each
  std::string image = "app:v1";
  int64_t cpu_milli = 0;
  int64_t memory_bytes = 0;
  std::string run_seconds = "60";   // kJobs: seconds or a distribution
  // kDeployments: after `then_at`, all get this image
  std::string then_image;
  Duration then_at;
  std::vector<api::LocatedObject> objects;  // kManifests
};

/// A node's kubelet is cut off from the API server for a while.
struct Outage {
  std::string node;
  Duration at;
  Duration length = Duration::max();
};

/// Something that a user does to the cluster at some time.
struct Action {
  Duration at;
  ApiRequest request;
  std::string drain = {};  // instead of a request: the node that is drained
};

/// A parsed and checked scenario file.
struct Scenario {
  std::string file;
  std::string text;                 // as read, for the report
  std::string name;
  std::string description;
  std::vector<std::pair<std::string, std::string>> parameters;  // with --set applied
  Time start;
  std::vector<NodeSource> nodes;
  bool shuffle_nodes = false;       // node names get a random rank as prefix
  std::vector<WorkloadSource> workloads;
  std::vector<Action> actions;
  std::string policy;               // shorthand for a GPU profile; "": the configuration below
  sched::SchedulerConfig scheduler;
  sched::TieBreak tie_break = sched::TieBreak::kRandom;
  Duration scheduling_cost;
  bool kubelets = true;
  SimRuntime::Options runtime;
  bool write_every_lease = false;
  std::vector<Outage> outages;
  bool controllers = true;
  bool events = false;
  Duration api_latency;
  Duration horizon = Duration::max();
  Duration sample_interval = Duration::seconds(60);
  bool timeline = false;            // every change of every object is written down
  std::vector<uint64_t> seeds = {1};
  std::string out;                   // folder for the report; "": none
  std::vector<std::string> results;  // measures that `orrery sweep` writes for each run

  std::string parameter(std::string_view name) const;
  /// Some manifest is a T.
  template <typename T>
  bool has() const {
    for (const WorkloadSource& work : workloads)
      for (const api::LocatedObject& located : work.objects)
        if (located.object.is<T>()) return true;
    return false;
  }
};

/// Reads and checks a scenario. Errors name file, line and field path, what was found and what is
/// allowed. Paths in the file are relative to it.
Result<Scenario> load_scenario(const std::string& path, const std::vector<Override>& overrides);
/// The same of a text that was read from `path`.
Result<Scenario> parse_scenario(std::string text, const std::string& path, const std::vector<Override>& overrides);

/// The names that `results` may list.
std::vector<std::string> result_measures();

/// Every field with its meaning, as text: what `orrery validate --explain` prints.
std::string scenario_reference();

}  // namespace orrery::sim
