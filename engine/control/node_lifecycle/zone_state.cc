#include "engine/control/node_lifecycle/zone_state.h"

#include "engine/base/str.h"

namespace orrery::control {
namespace {

Str label_of(const corev1::Node& node, std::string_view key, std::string_view old_key) {
  const auto& labels = node.metadata->labels;
  const Str* value = labels.find(key);
  return value ? *value : labels.get(old_key);
}

}  // namespace

std::string_view zone_state_name(ZoneState state) {
  constexpr std::string_view kNames[] = {"", "Normal", "PartialDisruption", "FullDisruption"};
  return kNames[static_cast<size_t>(state)];
}

ZoneState EvictionRates::state_of(const ZoneCount& zone) const {
  constexpr int64_t kUnhealthyMin = 2;
  if (zone.ready == 0 && zone.unhealthy > 0) return ZoneState::kFullDisruption;
  // In single precision, as there: it decides at the threshold itself.
  const float share = static_cast<float>(zone.unhealthy) / static_cast<float>(zone.size());
  if (zone.unhealthy > kUnhealthyMin && share >= static_cast<float>(unhealthy_threshold))
    return ZoneState::kPartialDisruption;
  return ZoneState::kNormal;
}

double EvictionRates::rate_of(ZoneState state, int64_t zone_size) const {
  return state == ZoneState::kPartialDisruption ? reduced_rate(zone_size) : normal;
}

std::string zone_key(const corev1::Node& node) {
  const Str zone =
      label_of(node, "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
  const Str region =
      label_of(node, "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
  if (zone.empty() && region.empty()) return "";
  // A byte that no label can contain keeps the two apart.
  return str_cat(region, ":", std::string_view("\0", 1), ":", zone);
}

}  // namespace orrery::control
