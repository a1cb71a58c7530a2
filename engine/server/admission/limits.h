#pragma once

#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"

namespace orrery::server {

/// The rules of one LimitRange. Source: Kubernetes v1.32 plugin/pkg/admission/limitranger.

/// Gives containers the defaults for resources that they do not name, and says so in the annotation
/// kubernetes.io/limit-ranger.
void apply_limit_defaults(const corev1::LimitRange& range, corev1::Pod& pod);

/// What the limits find wrong, in the order of limits, containers, resources.
std::vector<std::string> check_limits(const corev1::LimitRange& range, const corev1::Pod& pod);
std::vector<std::string> check_limits(const corev1::LimitRange& range, const corev1::PersistentVolumeClaim& claim);

}  // namespace orrery::server
