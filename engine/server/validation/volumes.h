#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

/// What a persistent volume is made of, or the inline volume of a volume attachment.
/// Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.
void check_volume_spec(const corev1::PersistentVolumeSpec& spec, bool is_inline, const Path& at, Findings& findings);

}  // namespace orrery::server
