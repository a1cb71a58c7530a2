#pragma once

#include <map>
#include <string>

#include "engine/api/json_value.h"

namespace orrery::server {

/// Parameters that paths of an OpenAPI v2 document share, by the names under which they are
/// referred to. Source: Kubernetes v1.32 kube-openapi/pkg/builder/parameters.go.
class SharedParameters {
 public:
  /// {"$ref": ...} to the parameter, or itself where it belongs to one place, or is looked for
  /// there.
  api::Json share(api::Json parameter);
  /// In order of name; leaves none.
  api::Json take();

 private:
  std::map<std::string, api::Json, std::less<>> parameters_;
};

/// A path of OpenAPI v3 ({"get": {...}, "parameters": [...]}) as v2 tells it. `custom`: of a custom
/// resource.
api::Json swagger_path(const api::Json& path, bool custom, SharedParameters& shared);

}  // namespace orrery::server
