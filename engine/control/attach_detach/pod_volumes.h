#pragma once

#include <string_view>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/storagev1.h"
#include "engine/control/attach_detach/attach_state.h"

namespace orrery::control {

/// Where it is looked up what a pod wants attached. nullptr: there is none.
class AttachView {
 public:
  virtual ~AttachView() = default;
  virtual const corev1::Node* find_node(const Str& name) const = 0;
  virtual const corev1::PersistentVolumeClaim* find_claim(const Str& ns, const Str& name) const = 0;
  virtual const corev1::PersistentVolume* find_volume(const Str& name) const = 0;
  virtual const storagev1::CSIDriver* find_driver(const Str& name) const = 0;
};

/// The node's kubelet leaves attaching to the control plane.
bool is_managed(const corev1::Node& node);
/// Whether it is ready, and tainted as out of service.
AttachActions::Node health_of(const corev1::Node& node);
/// The volumes that a pod, as long as it has not ended, wants attached to its node: those of CSI
/// drivers behind claims that are bound. Source: Kubernetes v1.32
/// pkg/controller/volume/attachdetach/util.
std::vector<AttachState::WantedVolume> wanted_volumes(const AttachView& view,
                                                      const corev1::Pod& pod);

}  // namespace orrery::control
