#pragma once

#include <string_view>
#include <vector>

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"

namespace orrery::control {

/// Who a pod of a StatefulSet is, and what it keeps. Kubernetes v1.32 pkg/controller/statefulset,
/// stateful_set_utils.go.

/// A pod of that ordinal as the template of `set` says, labelled as being of `revision`.
api::Object new_stateful_pod(const api::Object& set, int64_t ordinal, const Str& revision);

/// Name, namespace and the label statefulset.kubernetes.io/pod-name are as they have to be.
bool identity_matches(const api::Object& set, const corev1::Pod& pod);
void fix_identity(const api::Object& set, corev1::Pod& pod);

/// For each volumeClaimTemplate there is a volume of its name with the pod's claim.
bool storage_matches(const api::Object& set, const corev1::Pod& pod);
/// Other volumes of these names are replaced.
void fix_storage(const api::Object& set, corev1::Pod& pod);

/// The claims that the pod has to have, in the order of the templates.
std::vector<corev1::PersistentVolumeClaim> claims_of_pod(const api::Object& set,
                                                         std::string_view pod_name);

/// The questions below are of pods that may not exist yet: those have no phase.
bool is_running_and_ready(const corev1::Pod& pod);
/// Running and ready, and not being deleted.
bool is_healthy(const corev1::Pod& pod);
inline bool is_created(const corev1::Pod& pod) { return !pod.status->phase.empty(); }
/// The label controller-revision-hash; "" if there is none. Lives as long as the pod.
std::string_view pod_revision(const corev1::Pod& pod);

}  // namespace orrery::control
