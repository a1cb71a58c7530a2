#pragma once

#include "engine/api/gen/corev1.h"

namespace orrery::server {

/// What an update of a Service takes over from the old one, and what it loses with the old type.

bool has_cluster_ip(const corev1::ServiceSpec& spec);
bool has_node_ports(const corev1::ServiceSpec& spec);
/// Also without asking for them by number.
bool gets_node_ports(const corev1::ServiceSpec& spec);
bool has_health_port(const corev1::ServiceSpec& spec);

/// Addresses and ports that the client has left out stay, if old and new type have them.
/// Source: Kubernetes v1.32 pkg/registry/core/service/storage/storage.go, patchAllocatedValues.
void keep_allocated(corev1::ServiceSpec& spec, const corev1::ServiceSpec& before);

/// ClusterIP and ClusterIPs say the same; the older field leads where only it is set or changed.
/// `old` is null on creation. Headless services need it also where nothing is allocated.
/// Source: the same file, normalizeClusterIPs.
void agree_cluster_ips(corev1::ServiceSpec& spec, const corev1::Service* old);

/// What the new type does not have goes, if it still is what the old one had.
/// Source: pkg/registry/core/service/strategy.go, dropTypeDependentFields.
void drop_of_old_type(corev1::Service& service, const corev1::ServiceSpec& before);

/// True if a service that prefers two stacks stays as it is, whatever the cluster has now.
/// Source: pkg/registry/core/service/storage/alloc.go, isMatchingPreferDualStackClusterIPFields.
bool keeps_its_stacks(const corev1::ServiceSpec& spec, const corev1::ServiceSpec& before);

}  // namespace orrery::server
