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

/// The OpenAPI v3 documents of what is served, each made when it is first
/// asked for and again when what is served has changed.
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

 private:
  const SchemaFacts& facts();

  std::unique_ptr<SchemaFacts> facts_;
  uint64_t generation_ = 0;  // of what the documents describe
  std::map<std::string, Document, std::less<>> documents_;
};

/// /openapi/v2 as far as clients of v3 look at it: that it is there, in JSON, or in protobuf
/// (github.com/google/gnostic-models openapiv2) with the one operation by which kubectl tells that
/// a server validates fields: the patch of a namespace.
std::string openapi_v2();
std::string openapi_v2_protobuf();

}  // namespace orrery::server
