#include "engine/server/openapi/swagger.h"

#include "engine/base/check.h"
#include "engine/server/openapi/document_paths.h"

namespace orrery::server {

using api::Json;

Swagger::Swagger(const SchemaFacts& facts, const ServedResources& served)
    : served_(served), schemas_(facts, SpecVersion::kV2) {
  Json paths = Json::object();
  for (const Leaf& leaf : document_leaves()) add_leaf(leaf, schemas_, paths);
  add_paths(paths, false);
}

bool Swagger::add_next() {
  if (next_group_ == served_.groups().size()) return false;
  const ServedResources::Group& group = served_.groups()[next_group_++];
  const bool custom = served_.is_custom(group);
  Json paths = Json::object();
  if (!group.name.empty() && !custom) add_group(group.name, schemas_, paths);
  for (const auto& version : group.versions) add_version(group, custom, version, schemas_, paths);
  add_paths(paths, custom);
  return true;
}

void Swagger::add_paths(const Json& paths, bool custom) {
  for (const auto& path : paths.members()) {
    if (!paths_.empty()) paths_ += ',';
    api::append_json_string(paths_, path.key);
    paths_ += ':';
    swagger_path(path.value, custom, shared_).dump_to(paths_);
  }
}

std::string Swagger::take() {
  CHECK(next_group_ == served_.groups().size());
  std::string out = R"({"swagger":"2.0","info":)";
  document_info().dump_to(out);
  out.append(R"(,"paths":{)").append(paths_);
  std::string().swap(paths_);
  out += R"(},"definitions":)";
  schemas_.take().dump_to(out);
  out += R"(,"parameters":)";
  shared_.take().dump_to(out);
  out += R"(,"securityDefinitions":)";
  security_schemes().dump_to(out);
  out += R"(,"security":[{"BearerToken":[]}]})";
  return out;
}

}  // namespace orrery::server
