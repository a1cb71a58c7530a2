#pragma once

#include <vector>

#include "engine/api/gen/rbacv1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct ClusterRoleAggregationOptions : ControllerOptions {};

struct ClusterRoleAggregationInputs {
  api::Object role;  // null: it is gone
  std::vector<api::Object> cluster_roles;
};

/// Gives cluster roles with an aggregationRule the rules of the roles that it selects: view, edit
/// and admin are made so, and grow with what add-ons label for them. Kubernetes v1.32
/// pkg/controller/clusterroleaggregation.
class ClusterRoleAggregationController final
    : public Reconciler<ClusterRoleAggregationController, ClusterRoleAggregationInputs> {
 public:
  ClusterRoleAggregationController(const Env& env, const ClusterRoleAggregationOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  ClusterRoleAggregationInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const ClusterRoleAggregationInputs& in, WriteLog& log) override;
};

}  // namespace orrery::control
