#pragma once

#include <vector>

#include "engine/api/gen/corev1.h"

namespace orrery::server {

/// Names of the secrets and config maps of its namespace that a pod refers to (image pull secrets,
/// environment, volumes), with repetitions. Source: Kubernetes v1.32 pkg/api/v1/pod/util.go.
std::vector<Str> pod_secrets(const corev1::Pod& pod);
std::vector<Str> pod_config_maps(const corev1::Pod& pod);
/// Names of its claims; those of ephemeral volumes are POD-VOLUME.
std::vector<Str> pod_claims(const corev1::Pod& pod);
std::vector<Str> pod_resource_claims(const corev1::Pod& pod);

/// The secrets of a bound volume that a kubelet needs. Source: v1.32 pkg/api/v1/persistentvolume.
struct SecretName {
  Str ns, name;
};
std::vector<SecretName> volume_secrets(const corev1::PersistentVolume& volume);

}  // namespace orrery::server
