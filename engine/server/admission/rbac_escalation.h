#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// Nobody grants by a role or a binding what they do not hold (engine/server/auth/escalation.h): no
/// plugin of kube-apiserver, but part of its storage of these kinds. It sees an object after all
/// other mutations; the server itself may grant anything.
std::unique_ptr<AdmissionPlugin> rbac_escalation();

}  // namespace orrery::server
