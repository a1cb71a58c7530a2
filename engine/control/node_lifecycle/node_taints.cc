#include "engine/control/node_lifecycle/node_taints.h"

#include <algorithm>

#include "engine/api/semantic.h"

namespace orrery::control {
namespace {

struct ConditionTaint {
  std::string_view type, status, taint;
};
constexpr ConditionTaint kConditionTaints[] = {
    {"Ready", "False", kNotReadyTaint},
    {"Ready", "Unknown", kUnreachableTaint},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
};
constexpr std::string_view kUnschedulableTaint = "node.kubernetes.io/unschedulable";
constexpr std::string_view kNoSchedule = "NoSchedule";

bool same_taint(const corev1::Taint& a, const corev1::Taint& b) {
  return a.key == b.key && a.effect == b.effect;
}

template <typename Taints>
bool contains(const Taints& taints, const corev1::Taint& taint) {
  return std::any_of(taints.begin(), taints.end(),
                     [&](const corev1::Taint& other) { return same_taint(other, taint); });
}

bool is_condition_taint(const corev1::Taint& taint) {
  if (taint.effect != kNoSchedule) return false;
  return taint.key == kUnschedulableTaint ||
         std::any_of(std::begin(kConditionTaints), std::end(kConditionTaints),
                     [&](const ConditionTaint& entry) { return entry.taint == taint.key.view(); });
}

bool add_or_replace(List<corev1::Taint>& taints, const corev1::Taint& taint) {
  for (size_t i = 0; i < taints.size(); ++i) {
    if (!same_taint(taints[i], taint)) continue;
    if (api::semantic_equal(taints[i], taint)) return false;
    taints.mut(i) = taint;
    return true;
  }
  taints.push_back(taint);
  return true;
}

}  // namespace

corev1::Taint make_taint(std::string_view key, std::string_view effect) {
  corev1::Taint taint;
  taint.key = key;
  taint.effect = effect;
  return taint;
}

bool has_taint(const corev1::Node& node, std::string_view key, std::string_view effect) {
  return contains(node.spec->taints, make_taint(key, effect));
}

TaintChange condition_taints(const corev1::Node& node) {
  std::vector<corev1::Taint> wanted;
  for (const auto& condition : node.status->conditions)
    for (const ConditionTaint& entry : kConditionTaints)
      if (entry.type == condition.type.view() && entry.status == condition.status.view())
        wanted.push_back(make_taint(entry.taint, kNoSchedule));
  if (node.spec->unschedulable) wanted.push_back(make_taint(kUnschedulableTaint, kNoSchedule));
  TaintChange change;
  for (const auto& taint : wanted)
    if (!contains(node.spec->taints, taint)) change.add.push_back(taint);
  for (const auto& taint : node.spec->taints)
    if (is_condition_taint(taint) && !contains(wanted, taint)) change.remove.push_back(taint);
  return change;
}

bool apply_taints(corev1::Node& node, const TaintChange& change, Time now) {
  List<corev1::Taint> taints = node.spec->taints;
  bool changed = false;
  for (corev1::Taint taint : change.add) {
    taint.time_added = api::Timestamp::whole_seconds(now);
    if (add_or_replace(taints, taint)) changed = true;
  }
  const size_t removed =
      taints.erase_if([&](const corev1::Taint& taint) { return contains(change.remove, taint); });
  if (!changed && removed == 0) return false;
  node.spec.mut().taints = taints;
  return true;
}

std::vector<std::pair<Str, Str>> missing_labels(const corev1::Node& node) {
  constexpr std::pair<std::string_view, std::string_view> kFollowers[] = {
      {"kubernetes.io/os", "beta.kubernetes.io/os"},
      {"kubernetes.io/arch", "beta.kubernetes.io/arch"}};
  std::vector<std::pair<Str, Str>> missing;
  const auto& labels = node.metadata->labels;
  for (const auto& [stable, beta] : kFollowers) {
    const Str *leading = labels.find(stable), *following = labels.find(beta);
    if (leading && (!following || *following != *leading)) missing.emplace_back(beta, *leading);
  }
  return missing;
}

}  // namespace orrery::control
