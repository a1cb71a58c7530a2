#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// DefaultTolerationSeconds: a new pod stays 300 s on a node that is not ready or cannot be reached,
/// unless it says otherwise. Source: Kubernetes v1.32 plugin/pkg/admission/defaulttolerationseconds.
std::unique_ptr<AdmissionPlugin> default_toleration_seconds();

}  // namespace orrery::server
