#include "engine/server/openapi/documents.h"

#include "engine/api/json_value.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/base/str.h"
#include "engine/server/openapi/document_paths.h"
#include "engine/server/openapi/resource_paths.h"
#include "engine/server/openapi/swagger_proto.h"

namespace orrery::server {
namespace {

using api::Json;

// False: there is no such document.
bool add_named(const ServedResources& served, std::string_view name, Schemas& schemas,
               Json& paths) {
  for (const Leaf& leaf : document_leaves())
    if (leaf.name == name) return add_leaf(leaf, schemas, paths), true;
  for (const auto& group : served.groups()) {
    const bool custom = served.is_custom(group);
    if (!group.name.empty() && !custom && name == str_cat("apis/", group.name))
      return add_group(group.name, schemas, paths), true;
    for (const auto& version : group.versions)
      if (name == version_path(group.name, version.version).substr(1))
        return add_version(group, custom, version, schemas, paths), true;
  }
  return false;
}

std::string hex(uint64_t number) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kHex[number >> shift & 15];
  return out;
}

std::string hash_of(std::string_view body) {
  return hex(hash_bytes(body)) + hex(hash_bytes(body, body.size() + 1));
}

}  // namespace

const SchemaFacts& OpenApi::facts() {
  if (!facts_) facts_ = std::make_unique<SchemaFacts>();
  return *facts_;
}

void OpenApi::forget_old(const ServedResources& served) {
  if (served.generation() == generation_) return;
  generation_ = served.generation();
  documents_.clear();
  building_.reset();
  swagger_ = {};
  std::string().swap(swagger_protobuf_);
}

const OpenApi::Document* OpenApi::find(const ServedResources& served, std::string_view name) {
  forget_old(served);
  if (const auto found = documents_.find(name); found != documents_.end()) return &found->second;
  Schemas schemas(facts(), SpecVersion::kV3);
  Json paths = Json::object();
  if (!add_named(served, name, schemas, paths)) return nullptr;
  Json document = Json::object();
  document.set("openapi", "3.0.0");
  document.set("info", document_info());
  document.set("paths", std::move(paths));
  Json& components = document.set("components", Json::object());
  if (Json all = schemas.take(); all.size()) components.set("schemas", std::move(all));
  components.set("securitySchemes", security_schemes());
  std::string body = document.dump();
  std::string hash = hash_of(body);
  return &documents_.emplace(name, Document{std::move(body), std::move(hash)}).first->second;
}

std::string OpenApi::index(const ServedResources& served) {
  std::vector<std::string> names;
  for (const Leaf& leaf : document_leaves()) names.emplace_back(leaf.name);
  for (const auto& group : served.groups()) {
    if (!group.name.empty() && !served.is_custom(group))
      names.push_back(str_cat("apis/", group.name));
    for (const auto& version : group.versions)
      names.push_back(version_path(group.name, version.version).substr(1));
  }
  Json out = Json::object();
  Json& paths = out.set("paths", Json::object());
  for (const std::string& name : names)
    paths.set(name, Json::object())
        .set("serverRelativeURL",
             str_cat("/openapi/v3/", name, "?hash=", find(served, name)->hash));
  return out.dump_sorted();
}

const OpenApi::Document* OpenApi::swagger(const ServedResources& served) {
  forget_old(served);
  return swagger_.body.empty() ? nullptr : &swagger_;
}

void OpenApi::build_swagger(const ServedResources& served) {
  if (swagger(served)) return;
  if (!building_) building_ = std::make_unique<Swagger>(facts(), served);
  if (building_->add_next()) return;
  swagger_.body = building_->take();
  swagger_.hash = hash_of(swagger_.body);
  building_.reset();
}

const std::string& OpenApi::swagger_as_protobuf() {
  CHECK(!swagger_.body.empty());
  if (swagger_protobuf_.empty()) swagger_protobuf_ = swagger_proto(swagger_.body);
  return swagger_protobuf_;
}

}  // namespace orrery::server
