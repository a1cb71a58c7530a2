#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// DefaultIngressClass: the same for ingresses. Source: Kubernetes v1.32
/// plugin/pkg/admission/network/defaultingressclass.
std::unique_ptr<AdmissionPlugin> default_ingress_class();

}  // namespace orrery::server
