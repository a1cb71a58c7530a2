// The plugins without arguments or state: SchedulingGates, PrioritySort, NodeName,
// NodeUnschedulable, DefaultBinder. Source: Kubernetes v1.32 pkg/scheduler/framework/plugins.
#include "engine/sched/plugins/entries.h"

namespace orrery::sched {
namespace {

class SchedulingGates final : public Plugin {
 public:
  std::string_view name() const override { return "SchedulingGates"; }
  uint32_t points() const override { return kPreEnqueue; }
  PluginStatus pre_enqueue(const corev1::Pod& pod) const override {
    if (pod.spec->scheduling_gates.empty()) return {};
    std::string gates;
    for (const auto& gate : pod.spec->scheduling_gates) gates += (gates.empty() ? "" : " ") + gate.name.str();
    return {PluginCode::kUnschedulableAndUnresolvable, {"waiting for scheduling gates: [" + gates + "]"}};
  }
  bool hint(const corev1::Pod& pod, ClusterEvent event, const api::Object&, const api::Object& after) const override {
    return event == ClusterEvent::kPodUpdate && after && after.meta().uid == pod.metadata->uid;
  }
};

/// Its order (higher priority, then earlier) is the queue's own.
class PrioritySort final : public Plugin {
 public:
  std::string_view name() const override { return "PrioritySort"; }
  uint32_t points() const override { return kQueueSort; }
};

class NodeName final : public Plugin {
 public:
  std::string_view name() const override { return "NodeName"; }
  uint32_t points() const override { return kFilter; }
  PluginCode filter(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot, uint32_t*) const override {
    const Str& wanted = wanted_node(cls);
    return wanted == state.node(slot).name ? PluginCode::kSuccess : PluginCode::kUnschedulableAndUnresolvable;
  }
  bool may_reject(const PodClass& cls, const PluginData*, const ClusterState&) const override { return !wanted_node(cls).empty(); }
  std::vector<std::string> reasons(const PodClass&, const PluginData*, const ClusterState&, uint32_t, uint32_t) const override {
    return {"node(s) didn't match the requested node name"};
  }
  bool hint(const corev1::Pod&, ClusterEvent event, const api::Object&, const api::Object&) const override {
    return event == ClusterEvent::kNodeAdd || event == ClusterEvent::kNodeUpdate;
  }

 private:
  static const Str& wanted_node(const PodClass& cls) { return cls.spec.node_name; }
};

class NodeUnschedulable final : public Plugin {
 public:
  std::string_view name() const override { return "NodeUnschedulable"; }
  uint32_t points() const override { return kFilter; }
  PluginCode filter(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot, uint32_t*) const override {
    if (!state.node(slot).object.spec->unschedulable) return PluginCode::kSuccess;
    corev1::Taint taint;
    taint.key = "node.kubernetes.io/unschedulable";
    taint.effect = "NoSchedule";
    return api::tolerates(cls.spec.tolerations, taint) ? PluginCode::kSuccess : PluginCode::kUnschedulableAndUnresolvable;
  }
  bool may_reject(const PodClass&, const PluginData*, const ClusterState& state) const override { return state.any_unschedulable(); }
  std::vector<std::string> reasons(const PodClass&, const PluginData*, const ClusterState&, uint32_t, uint32_t) const override {
    return {"node(s) were unschedulable"};
  }
  bool hint(const corev1::Pod&, ClusterEvent event, const api::Object&, const api::Object& after) const override {
    if (event != ClusterEvent::kNodeAdd && event != ClusterEvent::kNodeUpdate) return false;
    const auto* node = after.as<corev1::Node>();
    return node && !node->spec->unschedulable;
  }
};

/// Binding is a request to the API, made by the scheduler component.
class DefaultBinder final : public Plugin {
 public:
  std::string_view name() const override { return "DefaultBinder"; }
  uint32_t points() const override { return kBind; }
  bool hint(const corev1::Pod&, ClusterEvent, const api::Object&, const api::Object&) const override { return false; }
};

}  // namespace

PluginEntry scheduling_gates_entry() { return {"SchedulingGates", make_plain<SchedulingGates>, 1, 0}; }
PluginEntry priority_sort_entry() { return {"PrioritySort", make_plain<PrioritySort>, 2, 0}; }
PluginEntry node_unschedulable_entry() { return {"NodeUnschedulable", make_plain<NodeUnschedulable>, 3, 0}; }
PluginEntry node_name_entry() { return {"NodeName", make_plain<NodeName>, 4, 0}; }
PluginEntry default_binder_entry() { return {"DefaultBinder", make_plain<DefaultBinder>, 18, 0}; }

}  // namespace orrery::sched
