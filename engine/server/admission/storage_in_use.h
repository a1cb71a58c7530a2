#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// StorageObjectInUseProtection: new volumes and claims carry the finalizer that keeps them while
/// they are used. Source: Kubernetes v1.32 plugin/pkg/admission/storage/storageobjectinuseprotection.
std::unique_ptr<AdmissionPlugin> storage_in_use();

}  // namespace orrery::server
