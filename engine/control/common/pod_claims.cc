#include "engine/control/common/pod_claims.h"

#include <algorithm>

namespace orrery::control {

Str claim_name(const corev1::Pod& pod, const corev1::Volume& volume) {
  if (volume.persistent_volume_claim) return volume.persistent_volume_claim->claim_name;
  return volume.ephemeral ? Str(str_cat(pod.metadata->name, '-', volume.name)) : Str();
}

Status check_claim_owner(const corev1::Pod& pod, const corev1::PersistentVolumeClaim& claim) {
  const auto& meta = *claim.metadata;
  const auto* owner = api::controller_of(meta);
  if (owner && owner->uid == pod.metadata->uid && meta.namespace_ == pod.metadata->namespace_)
    return Status();
  return invalid(str_cat("PVC ", api::object_key(meta), " was not created for pod ",
                         api::object_key(*pod.metadata), " (pod is not owner)"));
}

std::vector<Str> claim_keys(const corev1::Pod& pod) {
  std::vector<Str> keys;
  for (const corev1::Volume& volume : pod.spec->volumes) {
    const Str name = claim_name(pod, volume);
    if (!name.empty()) keys.push_back(api::object_key(pod.metadata->namespace_, name));
  }
  return keys;
}

Str index_by_namespace_of_claims(const api::Object& pod) {
  const auto& volumes = pod.get<corev1::Pod>().spec->volumes;
  const bool has_claims = std::any_of(volumes.begin(), volumes.end(), [](const auto& volume) {
    return volume.persistent_volume_claim || volume.ephemeral;
  });
  return has_claims ? pod.meta().namespace_ : Str();
}

bool has_left_its_volumes(const corev1::Pod& pod) {
  if (pod.status->phase == "Failed" || pod.status->phase == "Succeeded") return true;
  const auto& containers = pod.status->container_statuses;
  return pod.metadata->deletion_timestamp &&
         std::all_of(containers.begin(), containers.end(), [](const auto& container) {
           return container.state.terminated || container.state.waiting;
         });
}

}  // namespace orrery::control
