#pragma once

#include <cstdint>

#include "engine/api/json_value.h"

namespace orrery::api::cel {

/// Sizes of what follows a structural schema, as far as requests go. Source: Kubernetes v1.32
/// apiserver/pkg/cel/limits.go and common/schemas.go.

/// The bytes that a value takes at least.
uint64_t size_min(const Json& schema);

/// The most elements that a list or members that a map can have, bytes for texts and times; 0 for what
/// has no size. What no schema limits is limited by the size of requests.
uint64_t size_max(const Json& schema);

/// How often a value can stand in one request.
uint64_t occurrences_max(const Json& schema);

/// Sums and products that stay at their largest value.
uint64_t plus(uint64_t a, uint64_t b);
uint64_t times(uint64_t a, uint64_t b);

}  // namespace orrery::api::cel
