#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// Priority: a new pod gets the value and the preemption policy of its class, or of the class that is
/// the default, or 0; only one class may be the default.
/// Source: Kubernetes v1.32 plugin/pkg/admission/priority.
std::unique_ptr<AdmissionPlugin> priority();

}  // namespace orrery::server
