#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/control/job/index_set.h"

namespace orrery::control {

/// What spec.podFailurePolicy says about a failed pod.
struct FailureVerdict {
  bool counts = true;   // towards the Job's failures
  std::string action;   // of the rule that matched: Ignore, Count, FailJob, FailIndex; "": none did
  std::string message;  // FailJob only
};

/// The first rule that matches decides. Kubernetes v1.32 pkg/controller/job, matchPodFailurePolicy.
FailureVerdict judge_failed_pod(const batchv1::PodFailurePolicy* policy, const corev1::Pod& pod);

/// The message of the first rule that the succeeded indexes fulfil.
/// Kubernetes v1.32 pkg/controller/job, matchSuccessPolicy.
std::optional<std::string> success_policy_met(const batchv1::SuccessPolicy* policy,
                                              int64_t completions, const IndexSet& succeeded);

}  // namespace orrery::control
