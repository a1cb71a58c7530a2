// Source: Kubernetes v1.32 pkg/apis/apps/validation, pkg/registry/apps.
#include "engine/api/gen/appsv1.h"
#include "engine/server/validation/int_or_percent.h"
#include "engine/server/validation/workload_parts.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

void check_stateful_strategy(const appsv1::StatefulSetUpdateStrategy& strategy, Findings& findings) {
  const Path at = kSpec.child("updateStrategy");
  if (strategy.type.empty()) return findings.required(at);
  if (strategy.type == "OnDelete") {
    if (strategy.rolling_update)
      findings.invalid(at.child("rollingUpdate"), Shown::object(*strategy.rolling_update),
                       "only allowed for updateStrategy 'RollingUpdate'");
    return;
  }
  if (strategy.type != "RollingUpdate") return findings.invalid(at, Shown::object(strategy), "must be 'RollingUpdate' or 'OnDelete'");
  if (!strategy.rolling_update) return;
  const Path rolling = at.child("rollingUpdate");
  findings.non_negative(strategy.rolling_update->partition.value_or(0), rolling.child("partition"));
  if (!strategy.rolling_update->max_unavailable) return;
  const api::IntOrString& unavailable = *strategy.rolling_update->max_unavailable;
  const Path here = rolling.child("maxUnavailable");
  check_int_or_percent(unavailable, here, findings);
  if (int_or_percent(unavailable) == 0) findings.invalid(here, shown(unavailable), "cannot be 0");
  check_percent_max(unavailable, here, findings);
}

// The template's labels and annotations; its spec is not checked.
void check_template(const appsv1::StatefulSetSpec& spec, const PodRules& rules, Findings& findings) {
  const auto selector = api::Selector::of(spec.selector.get());
  if (!selector.is_ok()) return findings.invalid(kSpec.child("selector"), Shown::object(*spec.selector), "");
  const Path at = kSpec.child("template");
  const auto& meta = *spec.template_->metadata;
  if (!selector->empty()) check_template_matches(*selector, *spec.template_, at, findings);
  check_labels(meta.labels, at.child("labels"), findings);
  check_annotations(meta.annotations, at.child("annotations"), findings);
  check_pod_annotations(meta.annotations, *spec.template_->spec, rules, at.child("annotations"), findings);
}

void check_stateful_spec(const appsv1::StatefulSetSpec& spec, const PodRules& rules, Findings& findings) {
  const Path management = kSpec.child("podManagementPolicy");
  if (spec.pod_management_policy.empty()) findings.required(management);
  else if (!is_one_of(spec.pod_management_policy, {"OrderedReady", "Parallel"}))
    findings.invalid(management, spec.pod_management_policy, "must be 'OrderedReady' or 'Parallel'");
  check_stateful_strategy(spec.update_strategy, findings);
  if (spec.persistent_volume_claim_retention_policy) {
    const Path policy = kSpec.child("persistentVolumeClaimRetentionPolicy");
    const auto check = [&](const Str& value, std::string_view name) {
      if (!is_one_of(value, {"Retain", "Delete"})) findings.not_supported(policy.child(name), value, {"Retain", "Delete"});
    };
    check(spec.persistent_volume_claim_retention_policy->when_deleted, "whenDeleted");
    check(spec.persistent_volume_claim_retention_policy->when_scaled, "whenScaled");
  }
  findings.non_negative(spec.replicas.value_or(0), kSpec.child("replicas"));
  findings.non_negative(spec.min_ready_seconds, kSpec.child("minReadySeconds"));
  if (spec.ordinals) findings.non_negative(spec.ordinals->start, kSpec.child("ordinals.start"));
  check_workload_selector(spec.selector, "statefulset", findings);
  check_template(spec, rules, findings);
  check_restarts_always(*spec.template_, "StatefulSet", kSpec.child("template"), findings);
}

void check_create(const appsv1::StatefulSet& s, Findings& findings) {
  check_object_meta(*s.metadata, true, name_is_label, findings);
  check_stateful_spec(*s.spec, {}, findings);
}

void check_update(const appsv1::StatefulSet& s, const appsv1::StatefulSet& old, Findings& findings) {
  check_object_meta_update(*s.metadata, *old.metadata, findings);
  check_stateful_spec(*s.spec, PodRules::replacing(*old.spec->template_->spec), findings);
  appsv1::StatefulSetSpec munged = *s.spec;
  munged.replicas = old.spec->replicas;
  munged.template_ = old.spec->template_;
  munged.update_strategy = old.spec->update_strategy;
  munged.min_ready_seconds = old.spec->min_ready_seconds;
  munged.ordinals = old.spec->ordinals;
  munged.persistent_volume_claim_retention_policy = old.spec->persistent_volume_claim_retention_policy;
  if (!api::semantic_equal(munged, *old.spec))
    findings.forbidden(kSpec,
                       "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                       "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

void check_status(const appsv1::StatefulSet& set, const appsv1::StatefulSet& old, Findings& findings) {
  const auto& s = *set.status;
  findings.non_negative(s.replicas, kStatus.child("replicas"));
  findings.non_negative(s.ready_replicas, kStatus.child("readyReplicas"));
  findings.non_negative(s.current_replicas, kStatus.child("currentReplicas"));
  findings.non_negative(s.updated_replicas, kStatus.child("updatedReplicas"));
  findings.non_negative(s.available_replicas, kStatus.child("availableReplicas"));
  findings.non_negative(s.observed_generation, kStatus.child("observedGeneration"));
  if (s.collision_count) findings.non_negative(*s.collision_count, kStatus.child("collisionCount"));
  check_not_more(s.ready_replicas, s.replicas, "readyReplicas", kMoreThanReplicas, findings);
  check_not_more(s.current_replicas, s.replicas, "currentReplicas", kMoreThanReplicas, findings);
  check_not_more(s.updated_replicas, s.replicas, "updatedReplicas", kMoreThanReplicas, findings);
  check_not_more(s.available_replicas, s.replicas, "availableReplicas", kMoreThanReplicas, findings);
  check_not_more(s.available_replicas, s.ready_replicas, "availableReplicas", "cannot be greater than status.readyReplicas", findings);
  check_object_meta_update(*set.metadata, *old.metadata, findings);
  check_collisions(s, *old.status, findings);
}

}  // namespace

CheckRow stateful_set_row() { return check_row<appsv1::StatefulSet, check_create, check_update, check_status>(); }

}  // namespace orrery::server
