#pragma once

#include <vector>

#include "engine/api/gen/rbacv1.h"
#include "engine/api/object.h"

namespace orrery::api {

/// The rules of a cluster role with an aggregation rule: selector by selector, those of all cluster
/// roles that it matches, by name, the role itself left out, without repetitions. BadRequest if a
/// selector is invalid. Source: Kubernetes v1.32 pkg/controller/clusterroleaggregation.
Result<List<rbacv1::PolicyRule>> aggregated_rules(const rbacv1::ClusterRole& role,
                                                  std::vector<Object> cluster_roles);

}  // namespace orrery::api
