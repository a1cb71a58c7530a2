#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/base/time.h"

namespace orrery::control {

inline constexpr std::string_view kNotReadyTaint = "node.kubernetes.io/not-ready";
inline constexpr std::string_view kUnreachableTaint = "node.kubernetes.io/unreachable";

/// Taints to be put on a node and taken off it, by key and effect.
struct TaintChange {
  std::vector<corev1::Taint> add, remove;
  bool empty() const { return add.empty() && remove.empty(); }
};

corev1::Taint make_taint(std::string_view key, std::string_view effect);
bool has_taint(const corev1::Node& node, std::string_view key, std::string_view effect);

/// The change that makes the node's NoSchedule taints say what its conditions and
/// spec.unschedulable say. Kubernetes v1.32 pkg/controller/nodelifecycle, doNoScheduleTaintingPass.
TaintChange condition_taints(const corev1::Node& node);

/// Applies the change; added taints are of `now`. False if that changes nothing.
bool apply_taints(corev1::Node& node, const TaintChange& change, Time now);

/// The beta labels of operating system and architecture that must follow the stable ones.
/// Kubernetes v1.32 pkg/controller/nodelifecycle, reconcileNodeLabels.
std::vector<std::pair<Str, Str>> missing_labels(const corev1::Node& node);

}  // namespace orrery::control
