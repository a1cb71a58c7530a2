#include "engine/server/validation/registry.h"

#include <vector>

#include "engine/api/custom_object.h"

namespace orrery::server {
namespace {

std::vector<const KindChecks*> index_by_kind() {
  std::vector<const KindChecks*> index(api::all_kinds().size(), nullptr);
  for (const auto table : {pod_checks(), workload_checks(), revision_checks(), batch_checks(), autoscaling_checks(), policy_checks(),
                           service_checks(), networking_checks(), discovery_checks(), node_checks(), config_checks(),
                           quota_checks(), volume_checks(), storage_checks(), rbac_checks(), cluster_checks(),
                           event_checks(), certificate_checks(), flow_control_checks(), api_service_checks(),
                           admission_checks(), admission_policy_checks(), definition_checks()})
    for (const CheckRow& row : table) index[row.type().kind->id] = &row.checks;
  return index;
}

}  // namespace

const KindChecks* checks_of(const api::KindDesc& kind) {
  static const std::vector<const KindChecks*> kIndex = index_by_kind();
  return api::is_custom(kind) ? nullptr : kIndex[kind.id];
}

}  // namespace orrery::server
