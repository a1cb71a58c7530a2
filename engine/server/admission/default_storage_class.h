#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// DefaultStorageClass: a new claim that names no class gets the default class, the newest if there
/// are several. Source: Kubernetes v1.32 plugin/pkg/admission/storage/storageclass/setdefault.
std::unique_ptr<AdmissionPlugin> default_storage_class();

}  // namespace orrery::server
