#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/api/gen/appsv1.h"
#include "engine/api/object.h"
#include "engine/base/time.h"

namespace orrery::control {

/// A Deployment's status and conditions. Kubernetes v1.32
/// pkg/controller/deployment/{progress,sync}.

inline constexpr std::string_view kProgressing = "Progressing";
inline constexpr std::string_view kTimedOutReason = "ProgressDeadlineExceeded";
inline constexpr std::string_view kPausedReason = "DeploymentPaused";
inline constexpr std::string_view kCompletedReason = "NewReplicaSetAvailable";

appsv1::DeploymentCondition make_condition(std::string_view type, std::string_view status,
                                           std::string_view reason, std::string message, Time now);
/// nullptr if there is none.
const appsv1::DeploymentCondition* find_condition(const appsv1::DeploymentStatus& status,
                                                  std::string_view type);
/// Replaces the condition of its type, at the end; does nothing if status and reason are the same.
void set_condition(appsv1::DeploymentStatus& status, appsv1::DeploymentCondition condition);
void remove_condition(appsv1::DeploymentStatus& status, std::string_view type);

/// progressDeadlineSeconds is set (and not to "never").
bool has_progress_deadline(const appsv1::DeploymentSpec& spec);

/// The counts, and the condition Available, that follow from the ReplicaSets; other conditions are
/// kept. `all` may hold null objects; `newest` may be null.
appsv1::DeploymentStatus calculate_status(std::span<const api::Object> all,
                                          const api::Object& newest,
                                          const appsv1::Deployment& deployment, Time now);

/// All replicas are of the newest template and available.
bool is_complete(const appsv1::Deployment& deployment, const appsv1::DeploymentStatus& status);
/// `status` says more than the Deployment's own: more updated, ready or available, fewer old ones.
bool is_progressing(const appsv1::Deployment& deployment, const appsv1::DeploymentStatus& status);
bool is_timed_out(const appsv1::Deployment& deployment, const appsv1::DeploymentStatus& status,
                  Time now);

/// Adds what a rollout in progress says to a calculated status: Progressing, ReplicaFailure.
void judge_rollout(std::span<const api::Object> all, const api::Object& newest,
                   const appsv1::Deployment& deployment, Time now,
                   appsv1::DeploymentStatus& status);

}  // namespace orrery::control
