#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"

namespace orrery::server {

/// Fills in what Kubernetes v1.32 fills in on every write. Only the parts that change are copied.
/// Source: Kubernetes v1.32 pkg/apis/*/v1/defaults.go.
void apply_defaults(api::Object& object);
void default_pod_spec(corev1::PodSpec& spec);

/// What admission adds to a new Pod: tolerations of not-ready and unreachable nodes for 300 s
/// (DefaultTolerationSeconds) and priority 0 where no class says otherwise (Priority). Pods without
/// tolerations share `usual`, which is usual_tolerations().
void admit_new_pod(corev1::Pod& pod, const List<corev1::Toleration>& usual);
List<corev1::Toleration> usual_tolerations();

/// What follows from the uid and name of a new object: a Job's selector and labels, a Namespace's
/// finalizer.
void default_after_create(api::Object& object);

}  // namespace orrery::server
