#include "engine/server/openapi/documents.h"

#include "engine/api/proto_wire.h"
#include "engine/base/hash.h"
#include "engine/base/str.h"
#include "engine/server/openapi/operations.h"
#include "engine/server/openapi/resource_paths.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::string_view kTitle = "Kubernetes", kVersion = "1.32";
constexpr std::string_view kOk[] = {"200"};
constexpr std::string_view kKeySet[] = {"application/jwk-set+json"};

// What is not a resource: a document with one path, whose answer is a type or text.
struct Leaf {
  std::string_view name, tag, id, type;
};
constexpr Leaf kLeaves[] = {
    {".well-known/openid-configuration", "WellKnown", "getServiceAccountIssuerOpenIDConfiguration",
     ""},
    {"api", "core", "getCoreAPIVersions", "io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions"},
    {"apis", "apis", "getAPIVersions", "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList"},
    {"openid/v1/jwks", "openid", "getServiceAccountIssuerOpenIDKeyset", ""},
    {"version", "version", "getCodeVersion", "io.k8s.apimachinery.pkg.version.Info"},
};

Json info() {
  Json out = Json::object();
  out.set("title", kTitle);
  out.set("version", kVersion);
  return out;
}

// A text or message.
std::string proto_field(uint32_t number, std::string_view bytes) {
  std::string out(1, static_cast<char>(number << 3 | api::wire::kBytes));
  size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  out += static_cast<char>(size);
  return out.append(bytes);
}

Json text_schema() {
  Json schema = Json::object();
  schema.set("type", "string");
  return schema;
}

std::span<const std::string_view> media_types(std::string_view name) {
  if (name.starts_with("api")) return kObjectTypes;
  if (name.starts_with("openid")) return kKeySet;
  return std::span(kObjectTypes).first(1);
}

void add_leaf(const Leaf& leaf, Schemas& schemas, Json& paths) {
  const Json schema = leaf.type.empty() ? text_schema() : schemas.reference(leaf.type);
  const Json content = content_of(media_types(leaf.name), schema);
  paths.set(str_cat("/", leaf.name, "/"), Json::object())
      .set("get", operation(leaf.tag, leaf.id, kOk, content));
}

void add_group(const std::string& group, Schemas& schemas, Json& paths) {
  const std::string tag = group_tag(group), id = str_cat("get", capitalised(tag), "APIGroup"),
                    name = str_cat("apis/", group);
  add_leaf({name, tag, id, "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup"}, schemas, paths);
}

void add_version(const ServedResources::Group& group, bool custom,
                 const ServedResources::Version& version, Schemas& schemas, Json& paths) {
  const std::string name = version_path(group.name, version.version).substr(1),
                    tag = group_tag(group.name);
  if (!custom) {
    const std::string version_tag = str_cat(tag, "_", version.version);
    const std::string id =
        str_cat("get", capitalised(tag), capitalised(version.version), "APIResources");
    add_leaf({name, version_tag, id, "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList"},
             schemas, paths);
  }
  for (const ServedResource* resource : version.resources)
    add_resource_paths(*resource, custom, schemas, paths);
}

// False: there is no such document.
bool add_named(const ServedResources& served, std::string_view name, Schemas& schemas,
               Json& paths) {
  for (const Leaf& leaf : kLeaves)
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

Json security_schemes() {
  Json out = Json::object();
  Json& token = out.set("BearerToken", Json::object());
  token.set("description", "Bearer Token authentication");
  token.set("type", "apiKey");
  token.set("name", "authorization");
  token.set("in", "header");
  return out;
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

const OpenApi::Document* OpenApi::find(const ServedResources& served, std::string_view name) {
  if (served.generation() != generation_) documents_.clear();
  generation_ = served.generation();
  if (const auto found = documents_.find(name); found != documents_.end()) return &found->second;
  Schemas schemas(facts());
  Json paths = Json::object();
  if (!add_named(served, name, schemas, paths)) return nullptr;
  Json document = Json::object();
  document.set("openapi", "3.0.0");
  document.set("info", info());
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
  for (const Leaf& leaf : kLeaves) names.emplace_back(leaf.name);
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

std::string openapi_v2() {
  Json out = Json::object();
  out.set("swagger", "2.0");
  out.set("info", info());
  out.set("paths", Json::object());
  out.set("definitions", Json::object());
  return out.dump();
}

// Field numbers are those of openapiv2/OpenAPIv2.proto.
std::string openapi_v2_protobuf() {
  const std::string named_any = proto_field(1, "x-kubernetes-group-version-kind") +
                                proto_field(2, proto_field(2, "group: \"\"\nkind: Namespace\nversion: v1\n"));
  const std::string query = proto_field(2, "query") + proto_field(4, "fieldValidation") + proto_field(6, "string");
  const std::string parameter = proto_field(1, proto_field(2, proto_field(3, query)));
  const std::string patch = proto_field(8, parameter) + proto_field(13, named_any);
  const std::string path = proto_field(1, "/api/v1/namespaces/{name}") + proto_field(2, proto_field(8, patch));
  const std::string info = proto_field(1, kTitle) + proto_field(2, kVersion);
  return proto_field(1, "2.0") + proto_field(2, info) + proto_field(8, proto_field(2, path));
}

}  // namespace orrery::server
