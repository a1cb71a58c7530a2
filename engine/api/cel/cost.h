#pragma once

#include <cstdint>

#include "engine/api/cel/expression.h"

namespace orrery::api::cel {

/// The most that an expression about `self` can cost for any object that follows the schema.
/// Source of the weights: cel-go checker/cost.go, Kubernetes v1.32 apiserver/pkg/cel/library/cost.go.
uint64_t estimated_cost(const Expression& expression, const Json& self_schema);

/// The most elements that a list or members that a map can have, characters for texts; what no schema
/// limits is limited by the size of requests.
uint64_t size_max(const Json& schema);

/// Sums and products that stay at their largest value.
uint64_t plus(uint64_t a, uint64_t b);
uint64_t times(uint64_t a, uint64_t b);

}  // namespace orrery::api::cel
