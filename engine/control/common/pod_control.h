#pragma once

#include <span>

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// A pod of `owner` as its template says, with a generated name.
/// Kubernetes v1.32 pkg/controller, GetPodFromTemplate.
corev1::Pod pod_from_template(const corev1::PodTemplateSpec& pod_template,
                              const api::Object& owner);

/// The request for a pod in owner's namespace.
ApiRequest create_pod_request(const api::Object& owner, corev1::Pod pod);
ApiRequest delete_pod_request(const api::Object& pod);

/// Reports the outcome of a creation as an event about `owner`, and answers whether it failed.
Status judge_pod_creation(const api::Object& owner, const ApiResponse& response, WriteLog& log);
/// The same of a deletion; one that finds no pod is a failure without an event.
Status judge_pod_deletion(const api::Object& owner, const Str& name, const ApiResponse& response,
                          WriteLog& log);

/// The request was refused because its namespace is being deleted.
bool namespace_terminating(const ApiResponse& response);

}  // namespace orrery::control
