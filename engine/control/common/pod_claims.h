#pragma once

#include <string_view>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"
#include "engine/base/status.h"

namespace orrery::control {

/// What controllers of volumes ask of pods. Source: Kubernetes v1.32 pkg/volume/util and
/// component-helpers/storage/ephemeral.

/// The claim that a volume of `pod` is; "" for volumes without one. Ephemeral volumes have claims
/// named after pod and volume.
Str claim_name(const corev1::Pod& pod, const corev1::Volume& volume);
/// Whether the claim of that name was made for an ephemeral volume of the pod; the message says
/// that it was not.
Status check_claim_owner(const corev1::Pod& pod, const corev1::PersistentVolumeClaim& claim);
/// Keys of all claims of a pod, in the order of its volumes.
std::vector<Str> claim_keys(const corev1::Pod& pod);
/// An index of pods: the namespace of those with claims.
Str index_by_namespace_of_claims(const api::Object& pod);
/// The pod has ended, or is being deleted with no container that runs.
bool has_left_its_volumes(const corev1::Pod& pod);

}  // namespace orrery::control
