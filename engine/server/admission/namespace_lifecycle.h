#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// NamespaceLifecycle: nothing is created in a namespace that is not there (404) or is being deleted
/// (403); default, kube-system and kube-public may not be deleted.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/namespace/lifecycle.
std::unique_ptr<AdmissionPlugin> namespace_lifecycle();

}  // namespace orrery::server
