#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/control/namespace/namespace_content.h"

namespace orrery::control {

/// Brings the conditions of a namespace that is being deleted up to date with what is left of its
/// content; false: nothing has changed.
/// Kubernetes v1.32 pkg/controller/namespace/deletion/status_condition_utils.go.
bool set_conditions(corev1::NamespaceStatus& status, const NamespaceContent& content, Time now);

}  // namespace orrery::control
