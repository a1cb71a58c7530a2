#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/base/rng.h"
#include "engine/sched/cluster_state.h"

namespace orrery::sched {

/// Outcome of a plugin at an extension point. Source: Kubernetes v1.32 scheduler framework.
enum class PluginCode : uint8_t {
  kSuccess, kError, kUnschedulable, kUnschedulableAndUnresolvable, kWait, kSkip, kPending,
};
std::string_view plugin_code_name(PluginCode code);

struct PluginStatus {
  PluginCode code = PluginCode::kSuccess;
  std::vector<std::string> reasons;
  bool ok() const { return code == PluginCode::kSuccess; }
};

/// Extension points, as bits of Plugin::points().
enum Point : uint32_t {
  kPreEnqueue = 1u << 0, kQueueSort = 1u << 1, kPreFilter = 1u << 2, kFilter = 1u << 3, kPostFilter = 1u << 4,
  kPreScore = 1u << 5, kScore = 1u << 6, kReserve = 1u << 7, kPermit = 1u << 8, kPreBind = 1u << 9,
  kBind = 1u << 10, kPostBind = 1u << 11,
};
/// "preEnqueue", "queueSort", ...: the names of plugin sets in a configuration file.
std::string_view point_name(Point point);
inline constexpr Point kAllPoints[] = {kPreEnqueue, kQueueSort, kPreFilter, kFilter, kPostFilter, kPreScore,
                                       kScore, kReserve, kPermit, kPreBind, kBind, kPostBind};

/// Per-cycle data of plugins that are not node-local; slot by plugin index.
struct CycleState {
  std::vector<std::shared_ptr<PluginData>> data;
};

/// What normalize() does to the raw scores of the feasible nodes, for the framework to know when it
/// need not be asked.
enum class Normalization : uint8_t {
  kNone,         // leaves them as they are
  kByLargest,    // if all are 0, all become the same constant
  kMinMax,       // keeps their order; the largest alone become 100, or all 0 if all are equal
  kOneAtRandom,  // all are equal; one, drawn by rng.below(their number), becomes 100, the others 0
  kOther,
};

/// What changed in the cluster, for queueing hints.
enum class ClusterEvent : uint8_t { kNodeAdd, kNodeUpdate, kPodDelete, kPodUpdate, kPodAdd };

/// Where a pod goes, as Reserve plugins may amend it.
struct Placement {
  uint32_t slot = UINT32_MAX;
  Map<Str> annotations;  // set on the pod with its binding
};

/// A scheduler plugin. It is immutable once made; per-node state lives in a NodeExtension of the
/// cluster state, per-class data in PodClass::data. The functions of points that a plugin does not
/// announce are never called.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual std::string_view name() const = 0;
  virtual uint32_t points() const = 0;
  /// True if filter() and score() depend only on the pod's class and on the node: then the framework
  /// keeps their answers until the node changes.
  virtual bool node_local() const { return true; }

  /// Makes the plugin's extension of a new cluster state, if it has one; `index` is where it will be.
  virtual std::unique_ptr<NodeExtension> make_extension() const { return nullptr; }
  void set_extension(size_t index) { extension_ = index; }
  /// Computes what filter() and score() need of a class of pods (PreFilter of a node-local plugin).
  virtual std::shared_ptr<const PluginData> prepare(const PodClass&) const { return nullptr; }

  virtual PluginStatus pre_enqueue(const corev1::Pod&) const { return {}; }
  /// PreFilter: kSkip takes the plugin's filter out of this cycle; `names`, if set, narrows the
  /// nodes to these.
  virtual PluginStatus pre_filter(const PodClass&, const PluginData*, const ClusterState&, CycleState&,
                                  std::optional<std::vector<Str>>*) const { return {}; }
  /// Filter of one node; a rejection may leave a few bits of `detail` for reasons().
  virtual PluginCode filter(const PodClass&, const PluginData*, const ClusterState&, uint32_t /*slot*/, uint32_t* /*detail*/) const {
    return PluginCode::kSuccess;
  }
  /// False: filter() would pass every node of this state, and is not asked.
  virtual bool may_reject(const PodClass&, const PluginData*, const ClusterState&) const { return true; }
  /// filter() of the slots 0, 1, ... at once, rejecting with kUnschedulable where the detail is not 0.
  /// False: not offered for this class.
  virtual bool filter_all(const PodClass&, const PluginData*, const ClusterState&, std::span<uint32_t> /*details*/) const { return false; }
  /// The reasons of a node that filter() rejected.
  virtual std::vector<std::string> reasons(const PodClass&, const PluginData*, const ClusterState&, uint32_t /*slot*/, uint32_t /*detail*/) const {
    return {};
  }
  /// False if equal details have equal reasons on all nodes.
  virtual bool reasons_depend_on_node() const { return false; }
  /// PreScore: false takes the plugin's score out of this cycle.
  virtual bool scores(const PodClass&, const PluginData*, const ClusterState&) const { return true; }
  virtual int64_t score(const PodClass&, const PluginData*, const ClusterState&, uint32_t) const { return 0; }
  /// False: score() would be 0 for every node of this state, and is not asked.
  virtual bool may_score(const PodClass&, const PluginData*, const ClusterState&) const { return true; }
  /// score() of the slots 0, 1, ... at once (of those that are not feasible, anything). False: not
  /// offered for this class.
  virtual bool score_all(const PodClass&, const PluginData*, const ClusterState&, std::span<int32_t> /*scores*/) const { return false; }
  virtual Normalization normalization() const { return Normalization::kOther; }
  /// Turns raw scores of the feasible nodes into 0..100.
  virtual void normalize(std::span<int64_t>, RngStream&) const {}
  virtual void reserve(const PodClass&, const PluginData*, const ClusterState&, Placement&, RngStream&) const {}
  /// Queueing hint: could `event` on this object make a pod that the plugin rejected schedulable?
  virtual bool hint(const corev1::Pod&, ClusterEvent, const api::Object& /*before*/, const api::Object& /*after*/) const { return true; }

 protected:
  size_t extension_ = 0;
};

/// A plugin by name, made from its arguments (null: defaults); errors name the offending field.
using PluginFactory = Result<std::unique_ptr<Plugin>> (*)(const api::Json& args);
struct PluginEntry {
  std::string_view name;
  PluginFactory make;
  /// Its place and weight in the default profile; rank 0: not part of it.
  int default_rank;
  int default_weight;
};
/// All plugins there are, by name; each plugin's folder has its own entry.
std::span<const PluginEntry> plugin_registry();
const PluginEntry* find_plugin(std::string_view name);

/// 0..100 by the largest value; 0 for all if it is 0 (100 when reversed).
void default_normalize(std::span<int64_t> scores, bool reverse);

}  // namespace orrery::sched
