#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// ResourceQuota: refuses what would exceed a quota of its namespace, and charges status.used of the
/// quotas in the transaction that writes the object.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/resourcequota.
std::unique_ptr<AdmissionPlugin> resource_quota();

}  // namespace orrery::server
