#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/server/discovery/served_resources.h"
#include "engine/server/openapi/schemas.h"

namespace orrery::server {

/// The OpenAPI v3 documents of what is served, each made when it is first asked for.
class OpenApi {
 public:
  struct Document {
    std::string body;  // JSON
    std::string hash;  // of the body, upper case hexadecimal
  };
  /// "apis/apps/v1", "version", ...; nullptr if there is none.
  const Document* find(const ServedResources& served, std::string_view name);
  /// /openapi/v3: all documents with their hashes, JSON.
  std::string index(const ServedResources& served);
  /// What is served has changed: documents are made anew.
  void forget() { documents_.clear(); }

 private:
  const SchemaFacts& facts();

  std::unique_ptr<SchemaFacts> facts_;
  std::map<std::string, Document, std::less<>> documents_;
};

/// /openapi/v2 as far as clients of v3 look at it: that it is there.
std::string openapi_v2();

}  // namespace orrery::server
