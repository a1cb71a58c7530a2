#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// TaintNodesByCondition: a new node takes no pods before its kubelet has said that it is ready.
/// Source: Kubernetes v1.32 plugin/pkg/admission/nodetaint.
std::unique_ptr<AdmissionPlugin> taint_nodes_by_condition();

}  // namespace orrery::server
