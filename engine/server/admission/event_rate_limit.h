#pragma once

#include <memory>

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// EventRateLimit: refuses events beyond the rates of the configuration. Its buckets of tokens are
/// the only state that a plugin keeps; a request that is admitted once more, with the answer of a
/// webhook, costs no second token.
/// Source: Kubernetes v1.32 plugin/pkg/admission/eventratelimit.
std::unique_ptr<AdmissionPlugin> event_rate_limit();

}  // namespace orrery::server
