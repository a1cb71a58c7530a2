#pragma once

#include <span>
#include <string_view>

namespace orrery::server {

/// The lines of objects.jsonl: what every API server makes at its start, as JSON texts in the order
/// of creation. Facts of Kubernetes v1.32: namespaces, priority and fairness, RBAC policy, priority
/// classes, API services.
std::span<const std::string_view> bootstrap_table();

}  // namespace orrery::server
