#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/server/validation/pod_spec.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {

/// What workloads have in common: a selector, a template and counts of replicas. Source: Kubernetes
/// v1.32 pkg/apis/apps/validation.

/// The selector, at spec.selector; `kind_text` ends "empty selector is invalid for".
void check_workload_selector(const Ref<metav1::LabelSelector>& selector, std::string_view kind_text, Findings& findings);
/// The selector and the template that it must match, of a Deployment or ReplicaSet.
void check_replicated(const Ref<metav1::LabelSelector>& selector, const Ref<corev1::PodTemplateSpec>& tmpl, const PodRules& rules,
                      Findings& findings);
/// The template restarts always and has no deadline; `kind`: "DaemonSet".
void check_restarts_always(const corev1::PodTemplateSpec& tmpl, std::string_view kind, const Path& at, Findings& findings);
void check_template_matches(const api::Selector& selector, const corev1::PodTemplateSpec& tmpl, const Path& at, Findings& findings);
/// status.`name` must not exceed `total`.
void check_not_more(int32_t value, int32_t total, std::string_view name, std::string_view text, Findings& findings);
inline constexpr std::string_view kMoreThanReplicas = "cannot be greater than status.replicas";

/// status.collisionCount only grows.
template <typename S>
void check_collisions(const S& status, const S& old, Findings& findings) {
  constexpr Path kCount("status.collisionCount");
  if (old.collision_count && status.collision_count.value_or(0) < *old.collision_count)
    findings.invalid(kCount, status.collision_count.value_or(0), "cannot be decremented");
}

/// The tables of this group.
CheckRow deployment_row();
CheckRow daemon_set_row();
CheckRow stateful_set_row();
CheckRow replica_set_row();
CheckRow replication_controller_row();

}  // namespace orrery::server
