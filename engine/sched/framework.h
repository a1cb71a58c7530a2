#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/sched/plugin.h"
#include "engine/sched/profile.h"

namespace orrery::sched {

enum class TieBreak : uint8_t {
  kRandom,  // uniformly, as kube-scheduler does
  kFirst,   // the first in the order of nodes
  kName,    // the smallest node name
};

/// What came of one scheduling cycle.
struct Decision {
  bool scheduled = false;
  Placement placement;
  uint32_t feasible = 0;   // nodes that passed
  uint32_t evaluated = 0;  // nodes looked at
  int64_t best_score = 0;
  uint32_t best_count = 0;
  /// For people, if nothing was feasible: "0/3 nodes are available: ...".
  std::string message;
  /// Indexes of the plugins that rejected nodes, for queueing hints.
  std::vector<uint16_t> rejected_by;
};

/// Everything about a cycle, for tests and for explaining: never built on the hot path.
struct Explanation {
  PluginStatus pre_filter;  // not ok: this plugin's rejection; `plugin` is its name
  std::string plugin;
  std::optional<std::vector<Str>> narrowed;
  struct Node {
    Str name;
    bool feasible = false;
    std::string plugin;  // that rejected it; "" if it was left out before
    PluginCode code = PluginCode::kSuccess;
    std::vector<std::string> reasons;
    std::vector<std::pair<std::string, int64_t>> scores;  // normalised times weight
    int64_t total = 0;
  };
  std::vector<Node> nodes;  // in the order of nodes
  std::string message;
};

/// One profile's plugins over a cluster state: the scheduling cycle. Copyable.
///
/// Node-local plugins are asked once for each (class of pods, node) and again only after the node
/// has changed; the answers are the same as without that memory (`use_cache`).
class Framework {
 public:
  /// Makes the plugins of `profile` and their extensions of `state`.
  static Result<Framework> make(const Profile& profile, ClusterState& state);

  Decision schedule(const PodInfo& pod, const ClusterState& state, RngStream& rng);
  Explanation explain(const PodInfo& pod, const ClusterState& state, RngStream& rng);
  /// PreEnqueue of all plugins: the first that is not ok.
  PluginStatus pre_enqueue(const corev1::Pod& pod) const;
  /// The pod with its class (found or made).
  PodInfo pod_info(const api::Object& pod, ClusterState& state);
  /// Could the event help a pod that these plugins rejected?
  bool may_help(const std::vector<uint16_t>& rejected_by, const corev1::Pod& pod, ClusterEvent event,
                const api::Object& before, const api::Object& after) const;

  const Profile& profile() const { return profile_; }
  const Plugin& plugin(uint16_t index) const { return *plugins_[index]; }
  void set_tie_break(TieBreak tie_break) { tie_break_ = tie_break; }
  void set_use_cache(bool use_cache) { use_cache_ = use_cache; }
  uint32_t next_start_node_index() const { return next_start_; }
  size_t classes() const { return classes_.size(); }

 private:
  struct Active {
    uint16_t plugin;
    int64_t weight;
  };
  static constexpr uint8_t kUnknown = 0, kFeasible = 1, kRejectedBase = 2;
  /// What node-local plugins said about one class, by node slot.
  struct Memory {
    std::vector<uint8_t> verdict;   // kUnknown, kFeasible, kRejectedBase + index of the filter
    std::vector<uint8_t> code;
    std::vector<uint32_t> detail;
    std::vector<int32_t> raw;       // slot * scores + score
    uint64_t seen = 0;              // log position
    uint64_t epoch = 0;
    uint64_t used = 0;
  };
  struct Cycle;

  Memory& memory_of(const PodClass& cls, const ClusterState& state);
  void evaluate(const PodClass& cls, const ClusterState& state, uint32_t slot, const std::vector<bool>& skip, Memory& memory) const;
  PluginStatus run_pre_filters(const PodInfo& pod, const ClusterState& state, Cycle& cycle) const;
  void find_feasible(const PodInfo& pod, const ClusterState& state, Cycle& cycle, Memory& memory);
  void score(const PodInfo& pod, const ClusterState& state, const Memory& memory, Cycle& cycle, RngStream& rng) const;
  void select(const ClusterState& state, Cycle& cycle, Decision& decision, RngStream& rng) const;
  std::string fit_message(const PodInfo& pod, const ClusterState& state, const Memory& memory, const Cycle& cycle, Decision* decision) const;
  size_t nodes_to_find(size_t nodes) const;

  Profile profile_;
  std::vector<std::shared_ptr<const Plugin>> plugins_;
  std::vector<uint16_t> pre_enqueue_, pre_filters_, filters_, reserves_;
  std::vector<Active> scores_;
  TieBreak tie_break_ = TieBreak::kRandom;
  bool use_cache_ = true;
  uint32_t next_start_ = 0;
  PodClasses classes_;
  std::map<uint32_t, Memory> memories_;  // by class id
  uint64_t cycles_ = 0;
};

}  // namespace orrery::sched
