#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// RuntimeClass: a new pod gets the overhead, node selector and tolerations of its runtime class,
/// which must exist. Source: Kubernetes v1.32 plugin/pkg/admission/runtimeclass.
std::unique_ptr<AdmissionPlugin> runtime_class();

}  // namespace orrery::server
