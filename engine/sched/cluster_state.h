#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/sched/pod_info.h"

namespace orrery::sched {

/// A plugin's own per-node state (GPU devices, volumes): kept up to date by the cluster state.
class NodeExtension {
 public:
  virtual ~NodeExtension() = default;
  virtual std::unique_ptr<NodeExtension> clone() const = 0;
  /// What the extension is, for those who look for one: the address of a constant of its class.
  virtual const void* tag() const { return nullptr; }
  /// The node in `slot` is new or has changed (its pods follow for a new one).
  virtual void node_set(uint32_t slot, const corev1::Node& node) = 0;
  virtual void node_removed(uint32_t slot) = 0;
  virtual void pod_added(uint32_t slot, const corev1::Pod& pod) = 0;
  virtual void pod_removed(uint32_t slot, const corev1::Pod& pod) = 0;
};

/// The scheduler's view of nodes and of the pods on them, assumed ones included: integers in
/// arrays by node slot, updated by deltas. It does not change during a scheduling cycle.
class ClusterState {
 public:
  struct Node {
    Str name;
    corev1::Node object;
    Resources allocatable;
    Resources requested;
    int64_t allowed_pods = 0;
    std::vector<HostPort> used_ports;
    std::vector<api::Object> pods;
    bool present = false;  // false: pods only, or free
  };
  ClusterState() = default;
  ClusterState(const ClusterState& other);
  ClusterState& operator=(ClusterState&&) = default;

  ResourceIds& ids() { return ids_; }
  const ResourceIds& ids() const { return ids_; }

  void set_node(const corev1::Node& node);
  void remove_node(const Str& name);
  /// Adds, moves or replaces. Pods that have ended must not be given. `cls`, where known, saves
  /// working out the pod's requests.
  void set_pod(const api::Object& pod, std::shared_ptr<const PodClass> cls = nullptr);
  /// True if the pod was there.
  bool remove_pod(const Str& key);
  /// The node that the pod occupies, or nullptr.
  const Str* node_of(const Str& key) const;

  /// Node slots in the order of the reference: round robin over the zones, in order of appearance.
  const std::vector<uint32_t>& order() const;
  /// By slot: where order() has it; UINT32_MAX for slots without a node.
  const std::vector<uint32_t>& positions() const {
    order();
    return positions_;
  }
  /// Slots and positions are the same.
  bool order_is_by_slot() const { return order().size() == slots() && by_slot_; }
  uint32_t find(const Str& name) const;  // UINT32_MAX if there is no such node
  const Node& node(uint32_t slot) const { return nodes_[slot]; }
  size_t slots() const { return nodes_.size(); }
  size_t node_count() const { return order().size(); }

  /// Hot arrays, by slot.
  const std::vector<int64_t>& free_cpu() const { return free_cpu_; }
  const std::vector<int64_t>& free_memory() const { return free_memory_; }
  const std::vector<int64_t>& free_pods() const { return free_pods_; }
  /// The same and more as doubles, for arithmetic that vectorises: exact while exact() holds.
  struct Amounts {
    std::vector<double> allocatable_cpu, allocatable_memory;
    std::vector<double> requested_cpu, requested_memory;
    std::vector<double> nonzero_cpu, nonzero_memory;
  };
  const Amounts& amounts() const { return amounts_; }
  /// All amounts so far are at most kExactMax: a hundred times as much still has an exact double.
  bool exact() const { return exact_; }
  static constexpr int64_t kExactMax = int64_t{1} << 46;
  int64_t nonzero_cpu(uint32_t slot) const { return nonzero_cpu_[slot]; }
  int64_t nonzero_memory(uint32_t slot) const { return nonzero_memory_[slot]; }

  /// Each change of a node appends its slot. Positions below log_begin() are forgotten.
  const std::vector<uint32_t>& log() const { return log_; }
  uint64_t log_begin() const { return log_begin_; }
  uint64_t log_end() const { return log_begin_ + log_.size(); }
  /// Changes of the set of nodes, or of anything that plugins look up across nodes.
  uint64_t epoch() const { return epoch_; }

  /// Number of nodes that have the image, and its size; images are named by normalised name.
  struct Image {
    int64_t size = 0;
    int64_t nodes = 0;
  };
  const Image* image(const Str& name) const;
  /// False if no node has an image, a taint, is unschedulable.
  bool any_images() const { return !images_.empty(); }
  bool any_taints() const { return tainted_ > 0; }
  bool any_unschedulable() const { return unschedulable_ > 0; }

  void add_extension(std::unique_ptr<NodeExtension> extension);
  NodeExtension* extension(size_t index) const { return extensions_[index].get(); }
  size_t extension_count() const { return extensions_.size(); }

 private:
  struct PlacedPod {
    uint32_t slot;
    api::Object object;
    std::shared_ptr<const PodClass> cls;
  };
  uint32_t slot_for(const Str& name);
  void touch(uint32_t slot);
  void account(uint32_t slot, const api::Object& pod, int sign, const PodClass* cls);
  static void account_pod(Node& node, const api::Object& object, int sign);
  void refresh(uint32_t slot);
  void count_images(const corev1::Node& node, int sign);
  void count_marks(const corev1::Node& node, int sign);

  ResourceIds ids_;
  std::vector<Node> nodes_;
  std::vector<int64_t> free_cpu_, free_memory_, free_pods_, nonzero_cpu_, nonzero_memory_;
  Amounts amounts_;
  bool exact_ = true;
  int64_t tainted_ = 0, unschedulable_ = 0;
  std::unordered_map<Str, uint32_t> by_name_;
  std::unordered_map<Str, PlacedPod> pods_;  // by key
  std::map<Str, Image> images_;
  std::vector<uint32_t> log_;
  uint64_t log_begin_ = 0;
  uint64_t epoch_ = 1;
  uint64_t added_ = 0;
  std::vector<uint64_t> added_order_;  // by slot
  mutable std::vector<uint32_t> order_, positions_;
  mutable bool order_stale_ = true, by_slot_ = false;
  std::vector<std::unique_ptr<NodeExtension>> extensions_;
};

/// The zone that a node counts to for the order of nodes; "" without zone and region labels.
Str zone_key(const Map<Str>& labels);
/// With ":latest" if the name has no tag.
Str normalized_image(const Str& name);

}  // namespace orrery::sched
