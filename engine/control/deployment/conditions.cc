#include "engine/control/deployment/conditions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/control/deployment/fenceposts.h"

namespace orrery::control {
namespace {

constexpr std::string_view kAvailable = "Available";
constexpr std::string_view kReplicaFailure = "ReplicaFailure";

std::string subject(const api::Object& newest, const appsv1::Deployment& deployment) {
  if (newest) return str_cat("ReplicaSet \"", newest.meta().name, '"');
  return str_cat("Deployment \"", deployment.metadata->name, '"');
}

/// Of the same reason too: what moves is lastUpdateTime, from which the deadline counts.
void set_progressing(const appsv1::DeploymentCondition* current,
                     appsv1::DeploymentCondition condition, appsv1::DeploymentStatus& status) {
  if (current) {
    if (current->status == "True") condition.last_transition_time = current->last_transition_time;
    remove_condition(status, kProgressing);
  }
  set_condition(status, std::move(condition));
}

/// The first failure of a ReplicaSet: the newest's before those of others.
const appsv1::ReplicaSetCondition* find_failure(std::span<const api::Object> all,
                                                const api::Object& newest) {
  const auto of = [](const api::Object& object) -> const appsv1::ReplicaSetCondition* {
    if (!object) return nullptr;
    for (const auto& condition : object.get<appsv1::ReplicaSet>().status->conditions)
      if (condition.type == kReplicaFailure) return &condition;
    return nullptr;
  };
  if (const auto* failure = of(newest)) return failure;
  for (const api::Object& object : all)
    if (const auto* failure = of(object)) return failure;
  return nullptr;
}

}  // namespace

appsv1::DeploymentCondition make_condition(std::string_view type, std::string_view status,
                                           std::string_view reason, std::string message, Time now) {
  appsv1::DeploymentCondition condition;
  condition.type = type;
  condition.status = status;
  condition.reason = reason;
  condition.message = message;
  condition.last_update_time = api::Timestamp::whole_seconds(now);
  condition.last_transition_time = condition.last_update_time;
  return condition;
}

const appsv1::DeploymentCondition* find_condition(const appsv1::DeploymentStatus& status,
                                                  std::string_view type) {
  for (const auto& condition : status.conditions)
    if (condition.type == type) return &condition;
  return nullptr;
}

void set_condition(appsv1::DeploymentStatus& status, appsv1::DeploymentCondition condition) {
  if (const auto* current = find_condition(status, condition.type)) {
    if (current->status == condition.status && current->reason == condition.reason) return;
    if (current->status == condition.status)
      condition.last_transition_time = current->last_transition_time;
  }
  remove_condition(status, condition.type);
  status.conditions.push_back(std::move(condition));
}

void remove_condition(appsv1::DeploymentStatus& status, std::string_view type) {
  status.conditions.erase_if([type](const auto& c) { return c.type == type; });
}

bool has_progress_deadline(const appsv1::DeploymentSpec& spec) {
  return spec.progress_deadline_seconds && *spec.progress_deadline_seconds != INT32_MAX;
}

appsv1::DeploymentStatus calculate_status(std::span<const api::Object> all,
                                          const api::Object& newest,
                                          const appsv1::Deployment& deployment, Time now) {
  const auto& spec = *deployment.spec;
  appsv1::DeploymentStatus status;
  status.observed_generation = deployment.metadata->generation;
  status.replicas = actual_replicas(all);
  status.updated_replicas = actual_replicas(std::span(&newest, 1));
  status.ready_replicas = ready_replicas(all);
  status.available_replicas = available_replicas(all);
  status.unavailable_replicas = std::max(0, spec_replicas(all) - status.available_replicas);
  status.collision_count = deployment.status->collision_count;
  status.conditions = deployment.status->conditions;
  if (status.available_replicas >= spec.replicas.value_or(0) - max_unavailable(spec)) {
    set_condition(status, make_condition(kAvailable, "True", "MinimumReplicasAvailable",
                                         "Deployment has minimum availability.", now));
  } else {
    set_condition(status, make_condition(kAvailable, "False", "MinimumReplicasUnavailable",
                                         "Deployment does not have minimum availability.", now));
  }
  return status;
}

bool is_complete(const appsv1::Deployment& deployment, const appsv1::DeploymentStatus& status) {
  const int32_t wanted = deployment.spec->replicas.value_or(0);
  return status.updated_replicas == wanted && status.replicas == wanted &&
         status.available_replicas == wanted &&
         status.observed_generation >= deployment.metadata->generation;
}

bool is_progressing(const appsv1::Deployment& deployment, const appsv1::DeploymentStatus& status) {
  const auto& before = *deployment.status;
  return status.updated_replicas > before.updated_replicas ||
         status.replicas - status.updated_replicas < before.replicas - before.updated_replicas ||
         status.ready_replicas > before.ready_replicas ||
         status.available_replicas > before.available_replicas;
}

bool is_timed_out(const appsv1::Deployment& deployment, const appsv1::DeploymentStatus& status,
                  Time now) {
  const auto* condition = find_condition(status, kProgressing);
  if (!has_progress_deadline(*deployment.spec) || !condition) return false;
  if (condition->reason == kCompletedReason) return false;
  if (condition->reason == kTimedOutReason) return true;
  const Duration deadline = Duration::seconds(*deployment.spec->progress_deadline_seconds);
  return condition->last_update_time.time() + deadline < now;
}

void judge_rollout(std::span<const api::Object> all, const api::Object& newest,
                   const appsv1::Deployment& deployment, Time now,
                   appsv1::DeploymentStatus& status) {
  const bool deadline = has_progress_deadline(*deployment.spec);
  if (!deadline) remove_condition(status, kProgressing);
  const auto* current = find_condition(*deployment.status, kProgressing);
  const bool was_complete =
      status.replicas == status.updated_replicas && current && current->reason == kCompletedReason;
  if (deadline && !was_complete) {
    const std::string who = subject(newest, deployment);
    if (is_complete(deployment, status)) {
      set_condition(status, make_condition(kProgressing, "True", kCompletedReason,
                                           who + " has successfully progressed.", now));
    } else if (is_progressing(deployment, status)) {
      set_progressing(
          current,
          make_condition(kProgressing, "True", "ReplicaSetUpdated", who + " is progressing.", now),
          status);
    } else if (is_timed_out(deployment, status, now)) {
      set_condition(status, make_condition(kProgressing, "False", kTimedOutReason,
                                           who + " has timed out progressing.", now));
    }
  }
  const auto* failure = find_failure(all, newest);
  if (!failure) return remove_condition(status, kReplicaFailure);
  appsv1::DeploymentCondition condition =
      make_condition(failure->type, failure->status, failure->reason, failure->message.str(), now);
  condition.last_update_time = failure->last_transition_time;
  condition.last_transition_time = failure->last_transition_time;
  set_condition(status, std::move(condition));
}

}  // namespace orrery::control
