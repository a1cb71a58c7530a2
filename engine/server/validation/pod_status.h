#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

/// What is wrong with the parts of a pod's new status that have rules of their own: states of
/// containers, claims, addresses, users, devices. Source: Kubernetes v1.32
/// pkg/apis/core/validation/validation.go (ValidatePodStatusUpdate).
void check_pod_status_parts(const corev1::Pod& pod, const corev1::Pod& old, Findings& findings);

}  // namespace orrery::server
