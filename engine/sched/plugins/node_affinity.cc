#include "engine/api/codec_json.h"
#include "engine/sched/plugins/entries.h"

namespace orrery::sched {
namespace {

struct AffinityData final : PluginData {
  api::RequiredNodeAffinity required;
  api::PreferredNodeAffinity preferred;
  std::optional<std::vector<Str>> names;
};

/// Source: Kubernetes v1.32 pkg/scheduler/framework/plugins/nodeaffinity.
class NodeAffinity final : public Plugin {
 public:
  explicit NodeAffinity(const corev1::NodeAffinity& added) : added_preferred_(added.preferred_during_scheduling_ignored_during_execution) {
    const auto& required = added.required_during_scheduling_ignored_during_execution;
    if (required) added_required_.emplace(*required);
  }
  std::string_view name() const override { return "NodeAffinity"; }
  uint32_t points() const override { return kPreFilter | kFilter | kPreScore | kScore; }

  std::shared_ptr<const PluginData> prepare(const PodClass& cls) const override {
    auto data = std::make_shared<AffinityData>();
    data->required = api::RequiredNodeAffinity(cls.spec);
    if (cls.spec.affinity && cls.spec.affinity->node_affinity)
      data->preferred = api::PreferredNodeAffinity(cls.spec.affinity->node_affinity->preferred_during_scheduling_ignored_during_execution);
    data->names = names_of(data->required);
    return data;
  }
  PluginStatus pre_filter(const PodClass&, const PluginData* data, const ClusterState&, CycleState&,
                          std::optional<std::vector<Str>>* names) const override {
    const auto& d = static_cast<const AffinityData&>(*data);
    if (d.required.always() && !added_required_) return {PluginCode::kSkip, {}};
    if (d.names && d.names->empty()) return {PluginCode::kUnschedulableAndUnresolvable, {"pod affinity terms conflict"}};
    *names = d.names;
    return {};
  }
  PluginCode filter(const PodClass&, const PluginData* data, const ClusterState& state, uint32_t slot, uint32_t* detail) const override {
    const auto& node = state.node(slot);
    const auto& labels = node.object.metadata->labels;
    if (added_required_ && !added_required_->matches(labels, node.name)) {
      *detail = 1;
      return PluginCode::kUnschedulableAndUnresolvable;
    }
    const auto& d = static_cast<const AffinityData&>(*data);
    return d.required.matches(labels, node.name) ? PluginCode::kSuccess : PluginCode::kUnschedulableAndUnresolvable;
  }
  std::vector<std::string> reasons(const PodClass&, const PluginData*, const ClusterState&, uint32_t, uint32_t detail) const override {
    return {detail ? "node(s) didn't match scheduler-enforced node affinity" : "node(s) didn't match Pod's node affinity/selector"};
  }
  bool scores(const PodClass&, const PluginData* data, const ClusterState&) const override {
    return !static_cast<const AffinityData&>(*data).preferred.empty() || !added_preferred_.empty();
  }
  int64_t score(const PodClass&, const PluginData* data, const ClusterState& state, uint32_t slot) const override {
    const auto& node = state.node(slot);
    const auto& labels = node.object.metadata->labels;
    return static_cast<const AffinityData&>(*data).preferred.score(labels, node.name) + added_preferred_.score(labels, node.name);
  }
  bool may_score(const PodClass& cls, const PluginData* data, const ClusterState& state) const override { return scores(cls, data, state); }
  Normalization normalization() const override { return Normalization::kByLargest; }
  void normalize(std::span<int64_t> scores, RngStream&) const override { default_normalize(scores, false); }

  bool hint(const corev1::Pod& pod, ClusterEvent event, const api::Object&, const api::Object& after) const override {
    if (event == ClusterEvent::kPodUpdate) return after && after.meta().uid == pod.metadata->uid;
    if (event != ClusterEvent::kNodeAdd && event != ClusterEvent::kNodeUpdate) return false;
    const auto* node = after.as<corev1::Node>();
    return node && api::RequiredNodeAffinity(*pod.spec).matches(node->metadata->labels, node->metadata->name);
  }

 private:
  // The only nodes that the terms allow by name; nullopt if a term allows any.
  static std::optional<std::vector<Str>> names_of(const api::RequiredNodeAffinity& required) {
    if (!required.affinity() || required.affinity()->terms().empty()) return std::nullopt;
    std::vector<Str> all;
    for (const auto& term : required.affinity()->terms()) {
      const auto names = term.node_names();
      if (!names) return std::nullopt;
      for (const Str& n : *names)
        if (std::find(all.begin(), all.end(), n) == all.end()) all.push_back(n);
    }
    return all;
  }

  std::optional<api::NodeSelector> added_required_;
  api::PreferredNodeAffinity added_preferred_;
};

Result<std::unique_ptr<Plugin>> make(const api::Json& args) {
  corev1::NodeAffinity added;
  for (const auto& member : args.members()) {
    if (member.key == "apiVersion" || member.key == "kind") continue;
    if (member.key != "addedAffinity") return bad_request(str_cat("args.", member.key, ": unknown field; allowed is addedAffinity"));
    const Status status = api::from_json(member.value, corev1::NodeAffinity::descriptor(), &added, {true, nullptr});
    if (!status.is_ok()) return status.with_context("args.addedAffinity");
  }
  return std::unique_ptr<Plugin>(std::make_unique<NodeAffinity>(added));
}

}  // namespace

PluginEntry node_affinity_entry() { return {"NodeAffinity", make, 6, 2}; }

}  // namespace orrery::sched
