#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// PodSecurity: refuses pods that break the level that their namespace enforces, warns of pods and
/// workloads that break the level it warns of, and of existing pods when the enforced level rises.
/// Source: Kubernetes v1.32 pod-security-admission/admission.
std::unique_ptr<AdmissionPlugin> pod_security();

}  // namespace orrery::server
