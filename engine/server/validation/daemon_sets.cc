// Source: Kubernetes v1.32 pkg/apis/apps/validation, pkg/registry/apps.
#include "engine/api/gen/appsv1.h"
#include "engine/server/validation/int_or_percent.h"
#include "engine/server/validation/workload_parts.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

void check_daemon_strategy(const appsv1::DaemonSetUpdateStrategy& strategy, const Path& at, Findings& findings) {
  if (strategy.type == "OnDelete") return;
  if (strategy.type != "RollingUpdate") return findings.not_supported(at, Shown::object(strategy), {"RollingUpdate", "OnDelete"});
  const Path rolling = at.child("rollingUpdate");
  if (!strategy.rolling_update) return findings.required(rolling);
  const api::IntOrString unavailable = strategy.rolling_update->max_unavailable.value_or(0);
  const api::IntOrString surge = strategy.rolling_update->max_surge.value_or(0);
  check_int_or_percent(unavailable, rolling.child("maxUnavailable"), findings);
  check_int_or_percent(surge, rolling.child("maxSurge"), findings);
  check_percent_max(unavailable, rolling.child("maxUnavailable"), findings);
  check_percent_max(surge, rolling.child("maxSurge"), findings);
  const bool has_unavailable = int_or_percent(unavailable) != 0, has_surge = int_or_percent(surge) != 0;
  if (has_unavailable && has_surge)
    findings.invalid(rolling.child("maxSurge"), shown(surge), "may not be set when maxUnavailable is non-zero");
  else if (!has_unavailable && !has_surge)
    findings.required(rolling.child("maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

void check_daemon_spec(const appsv1::DaemonSetSpec& spec, const PodRules& rules, bool any_label_values, Findings& findings) {
  check_label_selector(spec.selector.get(), kSpec.child("selector"), findings, {any_label_values});
  const auto selector = api::Selector::of(spec.selector.get());
  const Path tmpl = kSpec.child("template");
  if (selector.is_ok()) check_template_matches(*selector, *spec.template_, tmpl, findings);
  if (spec.selector && spec.selector->match_labels.empty() && spec.selector->match_expressions.empty())
    findings.invalid(kSpec.child("selector"), Shown::object(*spec.selector), "empty selector is invalid for daemonset");
  check_pod_template(*spec.template_, rules, tmpl, findings);
  check_restarts_always(*spec.template_, "DaemonSet", tmpl, findings);
  findings.non_negative(spec.min_ready_seconds, kSpec.child("minReadySeconds"));
  check_daemon_strategy(spec.update_strategy, kSpec.child("updateStrategy"), findings);
  if (spec.revision_history_limit) findings.non_negative(*spec.revision_history_limit, kSpec.child("revisionHistoryLimit"));
}

void check_create(const appsv1::DaemonSet& ds, Findings& findings) {
  check_object_meta(*ds.metadata, true, name_is_subdomain, findings);
  check_daemon_spec(*ds.spec, {}, false, findings);
}

void check_update(const appsv1::DaemonSet& ds, const appsv1::DaemonSet& old, Findings& findings) {
  const PodRules rules = PodRules::replacing(*old.spec->template_->spec);
  const bool any_values = has_invalid_label_value(old.spec->selector.get());
  check_object_meta(*ds.metadata, true, name_is_subdomain, findings);
  check_daemon_spec(*ds.spec, rules, any_values, findings);
  check_object_meta_update(*ds.metadata, *old.metadata, findings);
  check_daemon_spec(*ds.spec, rules, any_values, findings);
  check_immutable_struct(ds.spec->selector, old.spec->selector, kSpec.child("selector"), findings);
}

void check_status(const appsv1::DaemonSet& ds, const appsv1::DaemonSet& old, Findings& findings) {
  const auto& s = *ds.status;
  check_object_meta_update(*ds.metadata, *old.metadata, findings);
  findings.non_negative(s.current_number_scheduled, kStatus.child("currentNumberScheduled"));
  findings.non_negative(s.number_misscheduled, kStatus.child("numberMisscheduled"));
  findings.non_negative(s.desired_number_scheduled, kStatus.child("desiredNumberScheduled"));
  findings.non_negative(s.number_ready, kStatus.child("numberReady"));
  findings.non_negative(s.observed_generation, kStatus.child("observedGeneration"));
  findings.non_negative(s.updated_number_scheduled, kStatus.child("updatedNumberScheduled"));
  findings.non_negative(s.number_available, kStatus.child("numberAvailable"));
  findings.non_negative(s.number_unavailable, kStatus.child("numberUnavailable"));
  if (s.collision_count) findings.non_negative(*s.collision_count, kStatus.child("collisionCount"));
  check_collisions(s, *old.status, findings);
}

}  // namespace

CheckRow daemon_set_row() { return check_row<appsv1::DaemonSet, check_create, check_update, check_status>(); }

}  // namespace orrery::server
