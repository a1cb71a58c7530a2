#include <algorithm>

#include "engine/sched/plugins/entries.h"

namespace orrery::sched {
namespace {

const Str kAnyAddress = Str::literal("0.0.0.0");

bool collide(const HostPort& a, const HostPort& b) {
  return a.port == b.port && a.protocol == b.protocol && (a.ip == b.ip || a.ip == kAnyAddress || b.ip == kAnyAddress);
}

/// Source: Kubernetes v1.32 pkg/scheduler/framework/plugins/nodeports.
class NodePorts final : public Plugin {
 public:
  std::string_view name() const override { return "NodePorts"; }
  uint32_t points() const override { return kPreFilter | kFilter; }
  PluginStatus pre_filter(const PodClass& cls, const PluginData*, const ClusterState&, CycleState&,
                          std::optional<std::vector<Str>>*) const override {
    return {cls.host_ports.empty() ? PluginCode::kSkip : PluginCode::kSuccess, {}};
  }
  PluginCode filter(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot, uint32_t*) const override {
    const auto& used = state.node(slot).used_ports;
    for (const HostPort& wanted : cls.host_ports)
      if (std::any_of(used.begin(), used.end(), [&](const HostPort& u) { return collide(u, wanted); })) return PluginCode::kUnschedulable;
    return PluginCode::kSuccess;
  }
  std::vector<std::string> reasons(const PodClass&, const PluginData*, const ClusterState&, uint32_t, uint32_t) const override {
    return {"node(s) didn't have free ports for the requested pod ports"};
  }
  bool hint(const corev1::Pod&, ClusterEvent event, const api::Object& before, const api::Object&) const override {
    if (event == ClusterEvent::kNodeAdd || event == ClusterEvent::kNodeUpdate) return true;
    const auto* gone = event == ClusterEvent::kPodDelete ? before.as<corev1::Pod>() : nullptr;
    return gone && !gone->spec->node_name.empty();
  }
};

}  // namespace

PluginEntry node_ports_entry() { return {"NodePorts", make_plain<NodePorts>, 7, 0}; }

}  // namespace orrery::sched
