#include "engine/control/daemonset/daemon_pods.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <tuple>

#include "engine/api/pod_util.h"
#include "engine/api/semantic.h"
#include "engine/control/common/controller_revisions.h"

namespace orrery::control {
namespace {

constexpr std::string_view kGeneration = "deprecated.daemonset.template.generation";
constexpr std::string_view kGenerationLabel = "pod-template-generation";
constexpr std::string_view kNameField = "metadata.name";

struct Added {
  std::string_view key, effect;
};
constexpr std::array kAdded = {
    Added{"node.kubernetes.io/not-ready", "NoExecute"},
    Added{"node.kubernetes.io/unreachable", "NoExecute"},
    Added{"node.kubernetes.io/disk-pressure", "NoSchedule"},
    Added{"node.kubernetes.io/memory-pressure", "NoSchedule"},
    Added{"node.kubernetes.io/pid-pressure", "NoSchedule"},
    Added{"node.kubernetes.io/unschedulable", "NoSchedule"},
};
constexpr Added kAddedToHostNetwork{"node.kubernetes.io/network-unavailable", "NoSchedule"};

/// In the place of one that differs in its seconds only, else at the end.
void add_toleration(List<corev1::Toleration>& tolerations, const Added& added) {
  corev1::Toleration toleration;
  toleration.key = added.key;
  toleration.operator_ = "Exists";
  toleration.effect = added.effect;
  List<corev1::Toleration> out;
  bool placed = false;
  for (const auto& present : tolerations) {
    const bool same = present.key == toleration.key && present.effect == toleration.effect &&
                      present.operator_ == toleration.operator_ &&
                      present.value == toleration.value;
    if (same && api::semantic_equal(present, toleration)) return;
    out.push_back(same ? toleration : present);
    placed |= same;
  }
  if (!placed) out.push_back(toleration);
  tolerations = std::move(out);
}

std::optional<int64_t> template_generation(const appsv1::DaemonSet& ds) {
  const Str* text = ds.metadata->annotations.find(kGeneration);
  if (!text) return std::nullopt;
  int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

/// `value` of a rolling update, rounded up.
Result<int64_t> scaled(const appsv1::DaemonSetSpec& spec, int64_t nodes,
                       Opt<api::IntOrString> appsv1::RollingUpdateDaemonSet::*value) {
  const auto& strategy = spec.update_strategy;
  if (strategy.type != "RollingUpdate" || !strategy.rolling_update) return int64_t{0};
  const auto& limit = (*strategy.rolling_update).*value;
  return limit ? api::scaled_int_or_percent(*limit, nodes, true) : int64_t{0};
}

}  // namespace

List<corev1::Toleration> daemon_tolerations(const corev1::PodSpec& spec) {
  List<corev1::Toleration> tolerations = spec.tolerations;
  for (const Added& added : kAdded) add_toleration(tolerations, added);
  if (spec.host_network) add_toleration(tolerations, kAddedToHostNetwork);
  return tolerations;
}

DaemonPlacement::DaemonPlacement(const corev1::PodTemplateSpec& pod_template)
    : node_name_(pod_template.spec->node_name),
      affinity_(*pod_template.spec),
      tolerations_(daemon_tolerations(*pod_template.spec)) {}

DaemonPlacement::Fit DaemonPlacement::fit(const corev1::Node& node) const {
  const auto& meta = *node.metadata;
  if (!node_name_.empty() && node_name_ != meta.name) return {};
  if (!affinity_.matches(meta.labels, meta.name)) return {};
  Fit fit{true, true};
  for (const auto& taint : node.spec->taints) {
    const bool evicts = taint.effect == "NoExecute";
    if (!evicts && taint.effect != "NoSchedule") continue;
    if (api::tolerates(tolerations_, taint)) continue;
    fit.should_run = false;
    if (evicts) fit.may_stay = false;
  }
  return fit;
}

bool same_for_placement(const corev1::Node& a, const corev1::Node& b) {
  const auto& x = a.spec->taints;
  const auto& y = b.spec->taints;
  return a.metadata->labels == b.metadata->labels && x.size() == y.size() &&
         std::equal(x.begin(), x.end(), y.begin(), [](const auto& s, const auto& t) {
           return s.key == t.key && s.value == t.value && s.effect == t.effect;
         });
}

Str target_node(const corev1::Pod& pod) {
  const auto& spec = *pod.spec;
  if (!spec.node_name.empty()) return spec.node_name;
  if (!spec.affinity || !spec.affinity->node_affinity) return {};
  const auto& required =
      spec.affinity->node_affinity->required_during_scheduling_ignored_during_execution;
  if (!required) return {};
  for (const auto& term : required->node_selector_terms)
    for (const auto& field : term.match_fields)
      if (field.key == kNameField && field.operator_ == "In")
        return field.values.size() == 1 ? field.values[0] : Str();
  return {};
}

PodsByNode pods_by_node(std::span<const api::Object> pods) {
  PodsByNode out;
  for (const api::Object& object : pods) {
    const auto& pod = object.get<corev1::Pod>();
    if (api::is_pod_terminal(pod) && pod.metadata->deletion_timestamp) continue;
    const Str node = target_node(pod);
    if (!node.empty()) out[node].push_back(object);
  }
  return out;
}

void sort_by_age(std::vector<api::Object>& pods) {
  const auto order = [](const api::Object& pod) {
    return std::tuple(pod.get<corev1::Pod>().spec->node_name.empty(), pod.meta().creation_timestamp,
                      pod.meta().name);
  };
  std::sort(pods.begin(), pods.end(),
            [&](const api::Object& a, const api::Object& b) { return order(a) < order(b); });
}

corev1::PodTemplateSpec daemon_template(const appsv1::DaemonSet& ds, const Str& hash) {
  corev1::PodTemplateSpec made = *ds.spec->template_;
  auto& labels = made.metadata.mut().labels;
  if (const auto generation = template_generation(ds))
    labels.set(kGenerationLabel, str_cat(*generation));
  if (!hash.empty()) labels.set(kRevisionHashLabel, hash);
  made.spec.mut().tolerations = daemon_tolerations(*ds.spec->template_->spec);
  return made;
}

corev1::PodTemplateSpec for_node(corev1::PodTemplateSpec pod_template, const Str& node) {
  corev1::NodeSelectorRequirement requirement;
  requirement.key = kNameField;
  requirement.operator_ = "In";
  requirement.values.push_back(node);
  corev1::NodeSelectorTerm term;
  term.match_fields.push_back(requirement);
  auto& affinity = pod_template.spec.mut().affinity.mut().node_affinity.mut();
  auto& required = affinity.required_during_scheduling_ignored_during_execution.mut();
  required.node_selector_terms.reset();
  required.node_selector_terms.push_back(term);
  return pod_template;
}

bool is_updated(const appsv1::DaemonSet& ds, const api::Object& pod, const Str& hash) {
  const auto& labels = pod.meta().labels;
  if (!hash.empty() && labels.get(kRevisionHashLabel) == hash) return true;
  const auto generation = template_generation(ds);
  return generation && labels.get(kGenerationLabel) == Str(str_cat(*generation));
}

Result<int64_t> surge_count(const appsv1::DaemonSetSpec& spec, int64_t nodes) {
  return scaled(spec, nodes, &appsv1::RollingUpdateDaemonSet::max_surge);
}

Result<int64_t> unavailable_count(const appsv1::DaemonSetSpec& spec, int64_t nodes) {
  return scaled(spec, nodes, &appsv1::RollingUpdateDaemonSet::max_unavailable);
}

bool allows_surge(const appsv1::DaemonSetSpec& spec) {
  const auto count = surge_count(spec, 1);
  return count && *count > 0;
}

}  // namespace orrery::control
