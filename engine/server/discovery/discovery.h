#pragma once

#include <string_view>

#include "engine/api/json_value.h"
#include "engine/server/discovery/served_resources.h"

namespace orrery::server {

/// The discovery documents of Kubernetes v1.32 as JSON trees.

/// /api: the versions of the core group; `address` ("10.0.0.1:6443") is where clients find the server.
api::Json api_versions(std::string_view address);
/// /apis and /apis/GROUP.
api::Json api_group_list(const ServedResources& served);
api::Json api_group(const ServedResources::Group& group);
/// /api/v1 and /apis/GROUP/VERSION.
api::Json api_resource_list(std::string_view group, const ServedResources::Version& version);
/// Aggregated discovery of /api (`core`) or /apis, as apidiscovery.k8s.io/`version` (v2, v2beta1).
api::Json aggregated_discovery(const ServedResources& served, bool core, std::string_view version);

}  // namespace orrery::server
