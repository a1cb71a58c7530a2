#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {

/// Options of Windows containers. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.
void check_windows_options(const corev1::WindowsSecurityContextOptions& options, const Path& at, Findings& findings);

}  // namespace orrery::server
