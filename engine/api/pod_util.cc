#include "engine/api/pod_util.h"

namespace orrery::api {

const corev1::ContainerStatus* container_status(const corev1::Pod& pod, std::string_view name) {
  for (const auto* list : {&pod.status->init_container_statuses, &pod.status->container_statuses,
                           &pod.status->ephemeral_container_statuses})
    for (const corev1::ContainerStatus& status : *list)
      if (status.name == name) return &status;
  return nullptr;
}

const corev1::PodCondition* pod_condition(const corev1::Pod& pod, std::string_view type) {
  for (const auto& condition : pod.status->conditions)
    if (condition.type == type) return &condition;
  return nullptr;
}

bool is_pod_ready(const corev1::Pod& pod) {
  const auto* ready = pod_condition(pod, "Ready");
  return ready && ready->status == "True";
}

bool is_pod_available(const corev1::Pod& pod, int32_t min_ready_seconds, Time now) {
  const auto* ready = pod_condition(pod, "Ready");
  if (!ready || ready->status != "True") return false;
  if (min_ready_seconds == 0) return true;
  return ready->last_transition_time &&
         ready->last_transition_time.time() + Duration::seconds(min_ready_seconds) < now;
}

bool is_pod_terminal(const corev1::Pod& pod) {
  const Str& phase = pod.status->phase;
  return phase == "Succeeded" || phase == "Failed";
}

bool is_pod_active(const corev1::Pod& pod) {
  return !is_pod_terminal(pod) && !pod.metadata->deletion_timestamp;
}

}  // namespace orrery::api
