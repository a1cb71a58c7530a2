#include "engine/sched/plugins/entries.h"

namespace orrery::sched {
namespace {

/// Source: Kubernetes v1.32 pkg/scheduler/framework/plugins/tainttoleration.
class TaintToleration final : public Plugin {
 public:
  std::string_view name() const override { return "TaintToleration"; }
  uint32_t points() const override { return kFilter | kPreScore | kScore; }

  PluginCode filter(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot, uint32_t*) const override {
    return untolerated(cls, state, slot) ? PluginCode::kUnschedulableAndUnresolvable : PluginCode::kSuccess;
  }
  std::vector<std::string> reasons(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot, uint32_t) const override {
    const corev1::Taint* taint = untolerated(cls, state, slot);
    return {taint ? str_cat("node(s) had untolerated taint {", taint->key, ": ", taint->value, "}") : std::string()};
  }
  bool reasons_depend_on_node() const override { return true; }
  bool may_reject(const PodClass&, const PluginData*, const ClusterState& state) const override { return state.any_taints(); }
  bool may_score(const PodClass&, const PluginData*, const ClusterState& state) const override { return state.any_taints(); }
  Normalization normalization() const override { return Normalization::kByLargest; }

  int64_t score(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot) const override {
    int64_t count = 0;
    for (const corev1::Taint& taint : state.node(slot).object.spec->taints) {
      if (taint.effect != "PreferNoSchedule") continue;
      bool tolerated = false;
      for (const auto& t : cls.spec.tolerations)
        tolerated = tolerated || ((t.effect.empty() || t.effect == "PreferNoSchedule") && api::tolerates(t, taint));
      if (!tolerated) ++count;
    }
    return count;
  }
  void normalize(std::span<int64_t> scores, RngStream&) const override { default_normalize(scores, true); }

  bool hint(const corev1::Pod& pod, ClusterEvent event, const api::Object&, const api::Object& after) const override {
    if (event == ClusterEvent::kPodUpdate) return after && after.meta().uid == pod.metadata->uid;
    if (event != ClusterEvent::kNodeAdd && event != ClusterEvent::kNodeUpdate) return false;
    const auto* node = after.as<corev1::Node>();
    return node && !api::find_untolerated(node->spec->taints, pod.spec->tolerations, {"NoSchedule", "NoExecute"});
  }

 private:
  static const corev1::Taint* untolerated(const PodClass& cls, const ClusterState& state, uint32_t slot) {
    const auto& taints = state.node(slot).object.spec->taints;
    return taints.empty() ? nullptr : api::find_untolerated(taints, cls.spec.tolerations, {"NoSchedule", "NoExecute"});
  }
};

}  // namespace

PluginEntry taint_toleration_entry() { return {"TaintToleration", make_plain<TaintToleration>, 5, 3}; }

}  // namespace orrery::sched
