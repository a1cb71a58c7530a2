#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/api/quantity.h"
#include "engine/base/time.h"

namespace orrery::api {

using ResourceList = Map<Quantity>;

/// A pod's request (or limit) for scheduling: the larger of what runs together and of what any
/// step of the start needs, plus overhead. Source: Kubernetes v1.32 component-helpers/resource.
ResourceList pod_requests(const corev1::PodSpec& spec);
ResourceList pod_limits(const corev1::PodSpec& spec);
/// As above, with 100m CPU for a container that names no cpu request, 200Mi for no memory: what
/// scores count. Only cpu and memory.
void pod_nonzero_requests(const corev1::PodSpec& spec, int64_t* milli_cpu, int64_t* memory_bytes);

/// "Guaranteed", "Burstable" or "BestEffort".
Str qos_class(const corev1::PodSpec& spec);

/// status.phase is Succeeded or Failed.
bool is_terminal(const corev1::Pod& pod);
/// Neither terminal nor being deleted.
bool is_active(const corev1::Pod& pod);
const corev1::PodCondition* find_condition(const corev1::PodStatus& status, std::string_view type);
/// Sets the condition of its type; lastTransitionTime stays if the status is the same. False if
/// nothing has changed.
bool set_condition(corev1::PodStatus& status, corev1::PodCondition condition);
bool is_ready(const corev1::Pod& pod);
/// Ready for at least `min_ready_seconds`.
bool is_available(const corev1::Pod& pod, int32_t min_ready_seconds, Time now);

const corev1::NodeCondition* find_condition(const corev1::NodeStatus& status, std::string_view type);

}  // namespace orrery::api
