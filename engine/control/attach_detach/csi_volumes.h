#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/api/gen/storagev1.h"
#include "engine/control/attach_detach/attach_state.h"

namespace orrery::control {

/// Names of volumes of CSI drivers. Source: Kubernetes v1.32 pkg/volume/csi.

/// "kubernetes.io/csi/DRIVER^HANDLE", as nodes report it in their status.
Str csi_volume_name(const corev1::CSIPersistentVolumeSource& source);
struct CsiVolume {
  std::string_view driver, handle;
};
/// The parts of such a name; nullopt: it is of another kind.
std::optional<CsiVolume> parse_csi_volume_name(std::string_view name);

/// The lower-case hexadecimal SHA-256 of a text.
using HexDigest = std::function<std::string(std::string_view)>;
/// The name of the VolumeAttachment by which the driver is asked; kubelets look for it too.
Str attachment_name(const VolumeOnNode& where, const HexDigest& sha256);
/// The request to attach: `volume` is the name of the PersistentVolume.
storagev1::VolumeAttachment make_attachment(const VolumeOnNode& where, const Str& name,
                                            const Str& volume);
/// The volume may be attached to several nodes.
bool is_shared(const corev1::PersistentVolume& volume);

}  // namespace orrery::control
