#pragma once

#include "engine/api/cel/checker.h"

namespace orrery::api::cel {

/// The most that an expression about `self` can cost for any object that follows the schema. `parts` are
/// what the checker has found of the expression; `root`: the object has the members of all objects.
/// Source: cel-go v0.22 checker/cost.go, Kubernetes v1.32 apiserver/pkg/cel/library/cost.go,
/// apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go.
uint64_t estimated_cost(const Expression& expression, const CheckedParts& parts, const Json& self_schema, bool root);

}  // namespace orrery::api::cel
