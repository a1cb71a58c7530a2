#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/server/discovery/served_resources.h"
#include "engine/server/openapi/schemas.h"
#include "engine/server/openapi/swagger.h"

namespace orrery::server {

/// The OpenAPI documents of what is served, each made when it is first asked for and again when
/// what is served has changed.
class OpenApi {
 public:
  struct Document {
    std::string body;  // JSON
    std::string hash;  // of the body, upper case hexadecimal
  };
  /// Of v3: "apis/apps/v1", "version", ...; nullptr if there is none.
  const Document* find(const ServedResources& served, std::string_view name);
  /// /openapi/v3: all documents with their hashes, JSON.
  std::string index(const ServedResources& served);

  /// The document of v2, if it is there already.
  const Document* swagger(const ServedResources& served);
  /// Builds a part of it; after some calls without a change of what is served it is there.
  void build_swagger(const ServedResources& served);
  /// The same document as protobuf; it is there already.
  const std::string& swagger_as_protobuf();

 private:
  const SchemaFacts& facts();
  void forget_old(const ServedResources& served);

  std::unique_ptr<SchemaFacts> facts_;
  uint64_t generation_ = 0;  // of what the documents describe
  std::map<std::string, Document, std::less<>> documents_;
  std::unique_ptr<Swagger> building_;
  Document swagger_;              // no body: it is not there
  std::string swagger_protobuf_;  // empty: it has not been asked for
};

}  // namespace orrery::server
