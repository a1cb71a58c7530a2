#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/api/schema.h"

namespace orrery::server {

/// What a request takes beside its body, as OpenAPI v3 tells it.
struct Parameter {
  std::string_view name;
  std::string_view type;  // "string", "integer", "boolean"
  bool in_path = false;
};
using Parameters = std::vector<Parameter>;

/// Query parameters of an action ("list", "watch", "post", "put", "patch", "delete",
/// "deletecollection"), without `pretty`; those of `custom` resources are told otherwise. Source:
/// Kubernetes v1.32, options types of meta/v1; apiextensions-apiserver/pkg/controller/openapi.
std::span<const Parameter> query_parameters(std::string_view action, bool custom);
/// Query parameters that the fields of an options type are ("PodExecOptions").
Parameters option_parameters(const api::TypeDesc& options);

/// Gives the methods of a path ({"get": {...}}) their parameters: those that all of them have
/// become the path's. `parameters` holds the lists in the order of the members of `methods`.
void place_parameters(api::Json& methods, const std::vector<Parameters>& parameters);

}  // namespace orrery::server
