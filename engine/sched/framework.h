#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/sched/class_memory.h"
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
/// has changed; where their scores add up node by node, the best node comes from an index. Decisions
/// are the same as without that memory (`use_cache`).
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
    /// What all-zero scores become times the weight, where normalize() makes a constant of them.
    int64_t zero;
    /// The index holds the scores of this plugin (all others must be zero for the index to be of use).
    bool summed;
  };
  struct Cycle;
  struct Rejected {
    uint8_t filter;  // number of it
    uint32_t detail, slot;
    uint64_t count;
  };

  void finish_make();
  // framework_memory.cc: what is known about nodes
  ClassMemory& memory_of(const PodClass& cls, const ClusterState& state);
  ClassMemory& new_memory(const PodClass& cls, const ClusterState& state);
  void bring_up_to_date(const PodClass& cls, const ClusterState& state, ClassMemory& memory, bool completely);
  void evaluate(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory) const;
  void evaluate_all(const PodClass& cls, const ClusterState& state, ClassMemory& memory);
  void filter_all(const PodClass& cls, const ClusterState& state, ClassMemory& memory);
  void score_all(const PodClass& cls, const ClusterState& state, ClassMemory& memory);
  void fill_index(const ClusterState& state, ClassMemory& memory);
  void evaluate_again(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory);
  static void forget(ClassMemory& memory);
  void choose_active(const PodClass& cls, const ClusterState& state, const Cycle& cycle);
  uint8_t filter(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory, uint32_t* detail) const;
  int32_t indexed_total(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory) const;

  PluginStatus run_pre_filters(const PodInfo& pod, const ClusterState& state, Cycle& cycle) const;
  void find_feasible(const PodInfo& pod, const ClusterState& state, Cycle& cycle, ClassMemory& memory);
  void score(const PodInfo& pod, const ClusterState& state, const ClassMemory& memory, Cycle& cycle, RngStream& rng) const;
  void select(const ClusterState& state, Cycle& cycle, Decision& decision, RngStream& rng) const;
  bool by_index(const PodClass& cls, const ClusterState& state, const ClassMemory& memory, int64_t* constant) const;
  void select_by_index(const ClusterState& state, const ClassMemory& memory, uint32_t start, uint32_t wanted, int64_t constant,
                       Decision& decision, RngStream& rng) const;
  void select_by_walk(const PodInfo& pod, const ClusterState& state, ClassMemory& memory, Cycle& cycle, Decision& decision, RngStream& rng);
  void fail(const PodInfo& pod, const ClusterState& state, ClassMemory& memory, const Cycle& cycle, Decision& decision) const;
  std::vector<Rejected> rejected_nodes(std::span<const uint32_t> nodes, const ClassMemory& memory) const;
  std::string fit_message(const PodInfo& pod, const ClusterState& state, const ClassMemory& memory, const Cycle& cycle, std::vector<uint16_t>* rejected_by) const;
  size_t nodes_to_find(size_t nodes) const;

  Profile profile_;
  std::vector<std::shared_ptr<const Plugin>> plugins_;
  std::vector<uint16_t> pre_enqueue_, pre_filters_, filters_, reserves_;
  std::vector<Active> scores_;
  TieBreak tie_break_ = TieBreak::kRandom;
  bool use_cache_ = true;
  bool node_local_ = true;   // all filters and scores
  bool indexable_ = false;   // scores can be summed up node by node
  uint32_t next_start_ = 0;
  PodClasses classes_;
  std::vector<ClassMemory> memories_;
  std::unordered_map<uint32_t, uint32_t> memory_index_;  // by class id
  ClassMemory passing_;      // of a class that nothing is kept of
  std::vector<bool> met_;    // by class id: has been here before
  uint64_t cycles_ = 0;
  // Of the cycle under way; kept for their memory only.
  std::vector<uint16_t> active_filters_, active_scores_;
  std::vector<uint32_t> details_;
  std::vector<int32_t> totals_, ordered_totals_;
  std::vector<std::vector<int32_t>> raw_;
  std::vector<uint64_t> touched_in_;  // by slot: the cycle in which it was last evaluated again
};

}  // namespace orrery::sched
