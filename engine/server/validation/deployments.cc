// Source: Kubernetes v1.32 pkg/apis/apps/validation, pkg/registry/apps.
#include "engine/api/gen/appsv1.h"
#include "engine/server/validation/int_or_percent.h"
#include "engine/server/validation/workload_parts.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

void check_deployment_strategy(const appsv1::DeploymentStrategy& strategy, const Path& at, Findings& findings) {
  const Path rolling = at.child("rollingUpdate");
  if (strategy.type == "Recreate") {
    if (strategy.rolling_update) findings.forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (strategy.type != "RollingUpdate") return findings.not_supported(at, Shown::object(strategy), {"Recreate", "RollingUpdate"});
  if (!strategy.rolling_update) return findings.required(rolling, "this should be defaulted and never be nil");
  const api::IntOrString unavailable = strategy.rolling_update->max_unavailable.value_or(0);
  const api::IntOrString surge = strategy.rolling_update->max_surge.value_or(0);
  check_int_or_percent(unavailable, rolling.child("maxUnavailable"), findings);
  check_int_or_percent(surge, rolling.child("maxSurge"), findings);
  if (int_or_percent(unavailable) == 0 && int_or_percent(surge) == 0)
    findings.invalid(rolling.child("maxUnavailable"), shown(unavailable), "may not be 0 when `maxSurge` is 0");
  check_percent_max(unavailable, rolling.child("maxUnavailable"), findings);
}

void check_deployment_spec(const appsv1::DeploymentSpec& spec, const PodRules& rules, Findings& findings) {
  findings.non_negative(spec.replicas.value_or(0), kSpec.child("replicas"));
  check_replicated(spec.selector, spec.template_, rules, findings);
  check_deployment_strategy(spec.strategy, kSpec.child("strategy"), findings);
  findings.non_negative(spec.min_ready_seconds, kSpec.child("minReadySeconds"));
  if (spec.revision_history_limit) findings.non_negative(*spec.revision_history_limit, kSpec.child("revisionHistoryLimit"));
  if (!spec.progress_deadline_seconds) return;
  const Path deadline = kSpec.child("progressDeadlineSeconds");
  findings.non_negative(*spec.progress_deadline_seconds, deadline);
  if (*spec.progress_deadline_seconds <= spec.min_ready_seconds)
    findings.invalid(deadline, *spec.progress_deadline_seconds, "must be greater than minReadySeconds");
}

void check_create(const appsv1::Deployment& d, Findings& findings) {
  check_object_meta(*d.metadata, true, name_is_subdomain, findings);
  check_deployment_spec(*d.spec, {}, findings);
}

void check_update(const appsv1::Deployment& d, const appsv1::Deployment& old, Findings& findings) {
  check_object_meta_update(*d.metadata, *old.metadata, findings);
  check_deployment_spec(*d.spec, PodRules::replacing(*old.spec->template_->spec), findings);
  check_immutable_struct(d.spec->selector, old.spec->selector, kSpec.child("selector"), findings);
}

void check_status(const appsv1::Deployment& d, const appsv1::Deployment& old, Findings& findings) {
  const auto& s = *d.status;
  check_object_meta_update(*d.metadata, *old.metadata, findings);
  findings.non_negative(s.observed_generation, kStatus.child("observedGeneration"));
  findings.non_negative(s.replicas, kStatus.child("replicas"));
  findings.non_negative(s.updated_replicas, kStatus.child("updatedReplicas"));
  findings.non_negative(s.ready_replicas, kStatus.child("readyReplicas"));
  findings.non_negative(s.available_replicas, kStatus.child("availableReplicas"));
  findings.non_negative(s.unavailable_replicas, kStatus.child("unavailableReplicas"));
  if (s.collision_count) findings.non_negative(*s.collision_count, kStatus.child("collisionCount"));
  check_not_more(s.updated_replicas, s.replicas, "updatedReplicas", kMoreThanReplicas, findings);
  check_not_more(s.ready_replicas, s.replicas, "readyReplicas", kMoreThanReplicas, findings);
  check_not_more(s.available_replicas, s.replicas, "availableReplicas", kMoreThanReplicas, findings);
  check_not_more(s.available_replicas, s.ready_replicas, "availableReplicas", "cannot be greater than readyReplicas", findings);
  check_collisions(s, *old.status, findings);
}

}  // namespace

CheckRow deployment_row() { return check_row<appsv1::Deployment, check_create, check_update, check_status>(); }

}  // namespace orrery::server
