#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/server/discovery/served_resources.h"
#include "engine/server/openapi/schemas.h"

namespace orrery::server {

/// What is not a resource: one path, whose answer is a type or, without one, text.
struct Leaf {
  std::string_view name, tag, id, type;
};
std::span<const Leaf> document_leaves();

/// The paths of a leaf, of a group ("/apis/GROUP/") and of all resources of a version, with what
/// they refer to.
void add_leaf(const Leaf& leaf, Schemas& schemas, api::Json& paths);
void add_group(const std::string& group, Schemas& schemas, api::Json& paths);
void add_version(const ServedResources::Group& group, bool custom,
                 const ServedResources::Version& version, Schemas& schemas, api::Json& paths);

/// {"title": ..., "version": ...} of the API.
api::Json document_info();
/// How requests are authenticated, by name.
api::Json security_schemes();

}  // namespace orrery::server
