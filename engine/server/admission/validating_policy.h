#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// ValidatingAdmissionPolicy: refuses, or warns of, requests that break a policy which is bound to them.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/policy/validating/dispatcher.go.
std::unique_ptr<AdmissionPlugin> validating_policy();

}  // namespace orrery::server
