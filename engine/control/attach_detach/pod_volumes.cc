#include "engine/control/attach_detach/pod_volumes.h"

#include <algorithm>

#include "engine/api/pod_resources.h"
#include "engine/control/attach_detach/csi_volumes.h"
#include "engine/control/common/pod_claims.h"

namespace orrery::control {
namespace {

const corev1::PersistentVolume* volume_of_claim(const AttachView& view, const corev1::Pod& pod,
                                                const corev1::Volume& mount) {
  const Str name = claim_name(pod, mount);
  if (name.empty()) return nullptr;
  const auto* claim = view.find_claim(pod.metadata->namespace_, name);
  if (!claim || claim->status->phase != "Bound") return nullptr;
  if (mount.ephemeral && !check_claim_owner(pod, *claim)) return nullptr;
  const auto* volume = view.find_volume(claim->spec->volume_name);
  const auto* ref = volume ? volume->spec->claim_ref.get() : nullptr;
  return ref && ref->uid == claim->metadata->uid ? volume : nullptr;
}

/// A driver that has not said anything is taken to need it.
bool needs_attaching(const AttachView& view, const corev1::PersistentVolume& volume) {
  if (!volume.spec->csi) return false;
  const auto* driver = view.find_driver(volume.spec->csi->driver);
  return !driver || driver->spec->attach_required.value_or(true);
}

}  // namespace

bool is_managed(const corev1::Node& node) {
  return node.metadata->annotations.get("volumes.kubernetes.io/controller-managed-attach-detach") ==
         "true";
}

AttachActions::Node health_of(const corev1::Node& node) {
  const auto* ready = api::find_condition(*node.status, "Ready");
  const auto& taints = node.spec->taints;
  const bool out = std::any_of(taints.begin(), taints.end(), [](const corev1::Taint& taint) {
    return taint.key == "node.kubernetes.io/out-of-service";
  });
  return {ready && ready->status == "True", out};
}

std::vector<AttachState::WantedVolume> wanted_volumes(const AttachView& view,
                                                      const corev1::Pod& pod) {
  const Str& node_name = pod.spec->node_name;
  const auto* node = view.find_node(node_name);
  if (!node || !is_managed(*node) || has_left_its_volumes(pod)) return {};
  std::vector<AttachState::WantedVolume> wanted;
  for (const corev1::Volume& mount : pod.spec->volumes) {
    const auto* volume = volume_of_claim(view, pod, mount);
    if (!volume || !needs_attaching(view, *volume)) continue;
    const Str name = csi_volume_name(*volume->spec->csi);
    wanted.push_back({{name, node_name}, volume->metadata->name, is_shared(*volume)});
  }
  return wanted;
}

}  // namespace orrery::control
