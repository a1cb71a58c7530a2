#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/base/time.h"

namespace orrery::api {

/// Questions about pods that several components ask (Kubernetes v1.32 pkg/api/v1/pod).

/// The condition of that type, or nullptr.
const corev1::PodCondition* pod_condition(const corev1::Pod& pod, std::string_view type);
/// The status of the container of that name, of whichever sort; nullptr: none yet.
const corev1::ContainerStatus* container_status(const corev1::Pod& pod, std::string_view name);
/// Condition Ready is True.
bool is_pod_ready(const corev1::Pod& pod);
/// Ready, and for longer than `min_ready_seconds`.
bool is_pod_available(const corev1::Pod& pod, int32_t min_ready_seconds, Time now);
/// Phase Succeeded or Failed.
bool is_pod_terminal(const corev1::Pod& pod);
/// Neither terminal nor being deleted.
bool is_pod_active(const corev1::Pod& pod);

}  // namespace orrery::api
