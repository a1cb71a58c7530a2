#include "engine/control/deployment/rollout.h"

#include <utility>

#include "engine/api/label_selector.h"
#include "engine/api/semantic.h"
#include "engine/control/common/claim.h"
#include "engine/control/deployment/conditions.h"
#include "engine/control/deployment/fenceposts.h"
#include "engine/control/deployment/revisions.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {

std::vector<api::Object> Rollout::Generations::all() const {
  std::vector<api::Object> list = old;
  list.push_back(newest);
  return list;
}

appsv1::DeploymentStatus& Rollout::mut_status() {
  return deployment_.mut<appsv1::Deployment>().status.mut();
}

Status Rollout::sync() {
  const auto* selector = spec().selector.get();
  if (selector && selector->match_labels.empty() && selector->match_expressions.empty())
    return selecting_all();
  ORRERY_TRY(claim());
  return dispatch();
}

Status Rollout::selecting_all() {
  log_.event(in_.deployment, "Warning", "SelectingAll",
             "This deployment is selecting all pods. A non-empty selector is required.");
  if (deployment().status->observed_generation < deployment().metadata->generation) {
    mut_status().observed_generation = deployment().metadata->generation;
    (void)put_status();  // tried again with the next change
  }
  return Status();
}

Status Rollout::claim() {
  const Result<api::Selector> selector = api::Selector::of(spec().selector.get());
  if (!selector)
    return selector.status().with_context(
        str_cat("deployment ", in_.key, " has invalid label selector"));
  return claim_objects(in_.deployment, *selector, in_.replica_sets, log_, replica_sets_);
}

Status Rollout::dispatch() {
  if (deployment().metadata->deletion_timestamp) {
    Generations generations;
    ORRERY_TRY(split(false, generations));
    return write_status_only(generations);
  }
  ORRERY_TRY(check_paused());
  if (spec().paused) return scale_only();
  if (rollback_target()) return roll_back();
  ORRERY_ASSIGN(const bool scaling, is_scaling());
  if (scaling) return scale_only();
  if (spec().strategy.type == "Recreate") return recreate();
  if (is_rolling_update(spec())) return roll();
  return invalid(str_cat("unexpected deployment strategy type: ", spec().strategy.type));
}

/// While a Deployment is paused its deadline must not run.
Status Rollout::check_paused() {
  if (!has_progress_deadline(spec())) return Status();
  const auto* condition = find_condition(*deployment().status, kProgressing);
  if (condition && condition->reason == kTimedOutReason) return Status();
  const bool was_paused = condition && condition->reason == kPausedReason;
  if (spec().paused == was_paused) return Status();
  set_condition(mut_status(), spec().paused
                                  ? make_condition(kProgressing, "Unknown", kPausedReason,
                                                   "Deployment is paused", now_)
                                  : make_condition(kProgressing, "Unknown", "DeploymentResumed",
                                                   "Deployment is resumed", now_));
  return put_status();
}

/// A ReplicaSet still carries the size that the Deployment had before.
Result<bool> Rollout::is_scaling() {
  Generations generations;
  ORRERY_TRY(split(false, generations));
  for (const api::Object& object : active_only(generations.all())) {
    const auto desired = desired_replicas_annotation(object);
    if (desired && *desired != wanted()) return true;
  }
  return false;
}

Status Rollout::write_status_only(const Generations& generations) {
  appsv1::DeploymentStatus status =
      calculate_status(generations.all(), generations.newest, deployment(), now_);
  if (api::semantic_equal(*deployment().status, status)) return Status();
  mut_status() = std::move(status);
  return log_.call_last([&] { return update_request(deployment_, "status"); }).status;
}

Status Rollout::write_rollout_status(const Generations& generations) {
  const std::vector<api::Object> all = generations.all();
  appsv1::DeploymentStatus status = calculate_status(all, generations.newest, deployment(), now_);
  judge_rollout(all, generations.newest, deployment(), now_, status);
  if (api::semantic_equal(*deployment().status, status)) {
    requeue_for_deadline(status);
    return Status();
  }
  mut_status() = std::move(status);
  return log_.call_last([&] { return update_request(deployment_, "status"); }).status;
}

Status Rollout::put_status() {
  return log_.call([&] { return update_request(deployment_, "status"); }).status;
}

/// Nothing may change until the deadline has passed, so the key asks to be looked at then.
void Rollout::requeue_for_deadline(const appsv1::DeploymentStatus& status) {
  const auto* condition = find_condition(*deployment().status, kProgressing);
  if (!has_progress_deadline(spec()) || !condition) return;
  if (is_complete(deployment(), status) || condition->reason == kTimedOutReason) return;
  const Duration left = condition->last_update_time.time() +
                        Duration::seconds(*spec().progress_deadline_seconds) - now_;
  if (left < Duration::seconds(1)) {
    retry_soon_ = true;
  } else {
    log_.requeue_after(left + Duration::seconds(1));
  }
}

}  // namespace orrery::control
