#pragma once

#include <string>
#include <string_view>

#include "engine/api/json_value.h"

namespace orrery::server {

/// Where a path such as .spec['a.b'].c leads in the schema of a custom resource. Source: Kubernetes
/// v1.32 apiextensions-apiserver pkg/apiserver/schema/cel/validation.go (ValidFieldPath).
struct SchemaPlace {
  std::string error;  // empty: there is such a place
  std::string first;  // the first name
  std::string path;   // the same for all ways to write it
  const api::Json* schema = nullptr;
};
SchemaPlace find_schema_place(std::string_view path, const api::Json& schema, bool brackets);

}  // namespace orrery::server
