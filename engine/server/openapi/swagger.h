#pragma once

#include <string>

#include "engine/api/json_value.h"
#include "engine/server/discovery/served_resources.h"
#include "engine/server/openapi/schemas.h"
#include "engine/server/openapi/swagger_paths.h"

namespace orrery::server {

/// Builds the OpenAPI v2 document of all that is served, group by group, so that between the groups
/// something else can be done.
class Swagger {
 public:
  /// Both outlive it; what is served does not change meanwhile.
  Swagger(const SchemaFacts& facts, const ServedResources& served);
  /// False: there is nothing left to add.
  bool add_next();
  /// The document, JSON. All has been added; called once.
  std::string take();

 private:
  void add_paths(const api::Json& paths, bool custom);

  const ServedResources& served_;
  size_t next_group_ = 0;
  Schemas schemas_;
  SharedParameters shared_;
  std::string paths_;  // JSON members, as they come: trees would take much memory
};

}  // namespace orrery::server
