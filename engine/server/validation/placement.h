#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/metadata.h"

namespace orrery::server {

/// Where pods may go: node selectors, affinity, tolerations, taints, spreading. Source: Kubernetes
/// v1.32 pkg/apis/core/validation/validation.go.

void check_node_selector(const corev1::NodeSelector& selector, const Path& at, Findings& findings);
void check_affinity(const corev1::Affinity& affinity, SelectorRules rules, const Path& at, Findings& findings);
void check_tolerations(const List<corev1::Toleration>& tolerations, const Path& at, Findings& findings);
void check_taints(const List<corev1::Taint>& taints, const Path& at, Findings& findings);
/// `check_selectors`: false where an old object has invalid ones.
void check_spread_constraints(const List<corev1::TopologySpreadConstraint>& constraints, bool check_selectors, const Path& at,
                              Findings& findings);
/// A storage class' allowedTopologies.
void check_topology_terms(const List<corev1::TopologySelectorTerm>& terms, const Path& at, Findings& findings);

/// While a pod is gated its node affinity may only be narrowed.
void check_node_affinity_narrowed(const corev1::NodeAffinity* fresh, const corev1::NodeAffinity* old, const Path& at, Findings& findings);

}  // namespace orrery::server
