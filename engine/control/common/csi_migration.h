#pragma once

#include <string_view>

#include "engine/api/gen/corev1.h"
#include "engine/base/cow.h"

namespace orrery::control {

/// In-tree volume plugins whose work CSI drivers do. Source: Kubernetes v1.32
/// csi-translation-lib and pkg/volume/csimigration.

inline const Str kMigratedTo = Str::literal("pv.kubernetes.io/migrated-to");

/// The driver that does the work of an in-tree plugin; "": none does.
std::string_view csi_driver_of(std::string_view plugin);

/// The in-tree plugin of a volume whose work a CSI driver does; "": of any other volume.
std::string_view migrated_plugin_of(const corev1::PersistentVolume& volume);

/// Makes annotations say which driver does the work of `provisioner` (nullptr: none is known).
/// Answers whether they have changed.
bool mark_migration(Map<Str>& annotations, const Str* provisioner);

}  // namespace orrery::control
