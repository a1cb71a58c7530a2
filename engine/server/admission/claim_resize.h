#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// PersistentVolumeClaimResize: a bound claim may grow only if its class allows it.
/// Source: Kubernetes v1.32 plugin/pkg/admission/storage/persistentvolume/resize.
std::unique_ptr<AdmissionPlugin> claim_resize();

}  // namespace orrery::server
