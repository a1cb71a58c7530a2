#pragma once

#include <string_view>

#include "engine/api/json_value.h"
#include "engine/server/discovery/served_resources.h"
#include "engine/server/openapi/schemas.h"

namespace orrery::server {

/// {"$ref": ...} to the schema of a custom resource, or with `list` of its list, which is defined
/// then: what the definition says of it, with what all objects have, and without what the version
/// of OpenAPI cannot tell. Source: Kubernetes v1.32 apiextensions-apiserver/pkg/controller/openapi
/// (builder, v2).
api::Json custom_reference(const ServedResource& resource, bool list, Schemas& schemas);

}  // namespace orrery::server
