#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// LimitRanger: new pods get a namespace's default requests and limits; new pods, and new and changed
/// claims, must keep within its bounds.
/// Source: Kubernetes v1.32 plugin/pkg/admission/limitranger.
std::unique_ptr<AdmissionPlugin> limit_ranger();

}  // namespace orrery::server
