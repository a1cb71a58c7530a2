// Replica sets and replication controllers.
// Source: Kubernetes v1.32 pkg/apis/apps/validation, pkg/registry/apps.
#include "engine/api/gen/appsv1.h"
#include "engine/server/validation/workload_parts.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

void check_replica_set_spec(const appsv1::ReplicaSetSpec& spec, const PodRules& rules, Findings& findings) {
  findings.non_negative(spec.replicas.value_or(0), kSpec.child("replicas"));
  findings.non_negative(spec.min_ready_seconds, kSpec.child("minReadySeconds"));
  check_replicated(spec.selector, spec.template_, rules, findings);
}

void check_create(const appsv1::ReplicaSet& rs, Findings& findings) {
  check_object_meta(*rs.metadata, true, name_is_subdomain, findings);
  check_replica_set_spec(*rs.spec, {}, findings);
}

void check_update(const appsv1::ReplicaSet& rs, const appsv1::ReplicaSet& old, Findings& findings) {
  const PodRules rules = PodRules::replacing(*old.spec->template_->spec);
  check_object_meta(*rs.metadata, true, name_is_subdomain, findings);
  check_replica_set_spec(*rs.spec, rules, findings);
  check_object_meta_update(*rs.metadata, *old.metadata, findings);
  check_replica_set_spec(*rs.spec, rules, findings);
  check_immutable_struct(rs.spec->selector, old.spec->selector, kSpec.child("selector"), findings);
}

template <typename S>
void check_replica_counts(const S& s, Findings& findings) {
  findings.non_negative(s.replicas, kStatus.child("replicas"));
  findings.non_negative(s.fully_labeled_replicas, kStatus.child("fullyLabeledReplicas"));
  findings.non_negative(s.ready_replicas, kStatus.child("readyReplicas"));
  findings.non_negative(s.available_replicas, kStatus.child("availableReplicas"));
  findings.non_negative(s.observed_generation, kStatus.child("observedGeneration"));
  check_not_more(s.fully_labeled_replicas, s.replicas, "fullyLabeledReplicas", kMoreThanReplicas, findings);
  check_not_more(s.ready_replicas, s.replicas, "readyReplicas", kMoreThanReplicas, findings);
  check_not_more(s.available_replicas, s.replicas, "availableReplicas", kMoreThanReplicas, findings);
  check_not_more(s.available_replicas, s.ready_replicas, "availableReplicas", "cannot be greater than readyReplicas", findings);
}

void check_status(const appsv1::ReplicaSet& rs, const appsv1::ReplicaSet& old, Findings& findings) {
  check_object_meta_update(*rs.metadata, *old.metadata, findings);
  check_replica_counts(*rs.status, findings);
}

void check_controller_spec(const corev1::ReplicationControllerSpec& spec, const PodRules& rules, Findings& findings) {
  findings.non_negative(spec.min_ready_seconds, kSpec.child("minReadySeconds"));
  if (spec.selector.empty()) findings.required(kSpec.child("selector"));
  findings.non_negative(spec.replicas.value_or(0), kSpec.child("replicas"));
  const Path at = kSpec.child("template");
  if (!spec.template_) return findings.required(at);
  const api::Selector selector = api::Selector::of_labels(spec.selector);
  if (!selector.empty()) check_template_matches(selector, *spec.template_, at, findings);
  check_pod_template(*spec.template_, rules, at, findings);
  check_restarts_always(*spec.template_, "ReplicationController", at, findings);
}

void check_create(const corev1::ReplicationController& rc, Findings& findings) {
  check_object_meta(*rc.metadata, true, name_is_subdomain, findings);
  check_controller_spec(*rc.spec, {}, findings);
}

void check_update(const corev1::ReplicationController& rc, const corev1::ReplicationController& old, Findings& findings) {
  const PodRules rules = old.spec->template_ ? PodRules::replacing(*old.spec->template_->spec) : PodRules();
  check_object_meta(*rc.metadata, true, name_is_subdomain, findings);
  check_controller_spec(*rc.spec, rules, findings);
  check_object_meta_update(*rc.metadata, *old.metadata, findings);
  check_controller_spec(*rc.spec, rules, findings);
}

void check_status(const corev1::ReplicationController& rc, const corev1::ReplicationController& old, Findings& findings) {
  check_object_meta_update(*rc.metadata, *old.metadata, findings);
  check_replica_counts(*rc.status, findings);
}

}  // namespace

CheckRow replica_set_row() { return check_row<appsv1::ReplicaSet, check_create, check_update, check_status>(); }
CheckRow replication_controller_row() {
  return check_row<corev1::ReplicationController, check_create, check_update, check_status>();
}

}  // namespace orrery::server
