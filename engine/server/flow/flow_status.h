#pragma once

#include <optional>

#include "engine/api/gen/flowcontrolv1.h"
#include "engine/ports/api.h"

namespace orrery::server {

/// Managers of the API server's own flow schemas and priority levels, and of what it says of all of them.
inline constexpr std::string_view kFlowProducer = "api-priority-and-fairness-config-producer-v1";
inline constexpr std::string_view kFlowConsumer = "api-priority-and-fairness-config-consumer-v1";

/// The write that makes a flow schema's condition Dangling true to `has_level`: whether its priority
/// level is there. nullopt: it is true already.
/// Source: Kubernetes v1.32 apiserver/pkg/util/flowcontrol/apf_controller.go.
std::optional<ApiRequest> dangling_update(const flowcontrolv1::FlowSchema& schema, bool has_level, Time now);

}  // namespace orrery::server
