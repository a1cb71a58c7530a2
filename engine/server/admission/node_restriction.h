#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// NodeRestriction: a kubelet writes its own Node (without taints, owners and labels that place
/// workloads), mirror pods and the status of pods bound to it, evicts these, asks for tokens bound
/// to them, and writes its own Lease, CSINode and resource slices. Off unless it is enabled.
/// Source: Kubernetes v1.32 plugin/pkg/admission/noderestriction.
std::unique_ptr<AdmissionPlugin> node_restriction();

}  // namespace orrery::server
