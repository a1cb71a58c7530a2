#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"
#include "engine/ports/api.h"

namespace orrery::control {

/// Finalizer of a Job's pods: they stay until they have been counted.
inline constexpr std::string_view kJobTracking = "batch.kubernetes.io/job-tracking";

bool has_tracking_finalizer(const metav1::ObjectMeta& meta);
/// The request that takes it off a pod that has it.
ApiRequest untrack_request(const api::Object& pod);

inline constexpr int64_t kNoIndex = -1;
/// The pod's completion index, or kNoIndex.
int64_t completion_index(const metav1::ObjectMeta& meta);
/// Counted failures of the index before this pod, those that the failure policy ignored, and both.
int64_t index_failures(const metav1::ObjectMeta& meta);
int64_t ignored_index_failures(const metav1::ObjectMeta& meta);
int64_t all_index_failures(const metav1::ObjectMeta& meta);

bool is_indexed(const batchv1::Job& job);
bool is_suspended(const batchv1::Job& job);
/// A pod is replaced only when it has failed, not when it begins to terminate.
bool replaces_failed_only(const batchv1::Job& job);
/// Failed; or being deleted, where that is enough to replace it.
bool has_failed(const corev1::Pod& pod, const batchv1::Job& job);
/// Being deleted and not ended yet.
bool is_terminating(const corev1::Pod& pod);

/// A pod of the job, as its template says. With an `index`, the pod of that index, which takes the
/// place of `replaced` (may be null).
/// Kubernetes v1.32 pkg/controller/job, manageJob.
corev1::Pod job_pod(const api::Object& job, int64_t index, const corev1::Pod* replaced);

/// At least `count` of the active `pods`: all with no index, an index twice or one too high, then
/// those that cost least. `pods` sorted by name.
/// Kubernetes v1.32 pkg/controller/job, activePodsForRemoval.
std::vector<api::Object> pods_to_remove(const batchv1::Job& job, std::span<const api::Object> pods,
                                        int64_t count);

}  // namespace orrery::control
