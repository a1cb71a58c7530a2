#pragma once

#include <string>

#include "engine/api/json_value.h"

namespace orrery::server {

/// The message of an aggregated discovery document, whose JSON tree this is. Source: Kubernetes
/// v1.32 api/apidiscovery/v2/generated.proto, which v2beta1 shares.
std::string aggregated_discovery_proto(const api::Json& document);

}  // namespace orrery::server
