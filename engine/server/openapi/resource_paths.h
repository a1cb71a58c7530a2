#pragma once

#include "engine/api/json_value.h"
#include "engine/server/discovery/served_resources.h"
#include "engine/server/openapi/schemas.h"

namespace orrery::server {

/// Adds the paths of a resource and its subresources ("/apis/apps/v1/deployments", ...) to `paths`,
/// and what they refer to to `schemas`. `custom`: it comes from a custom resource definition.
void add_resource_paths(const ServedResource& resource, bool custom, Schemas& schemas,
                        api::Json& paths);

/// "/apis/GROUP/VERSION", "/api/v1".
std::string version_path(std::string_view group, std::string_view version);

}  // namespace orrery::server
