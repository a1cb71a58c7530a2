#include "engine/server/openapi/document_paths.h"

#include "engine/base/str.h"
#include "engine/server/openapi/operations.h"
#include "engine/server/openapi/resource_paths.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::string_view kOk[] = {"200"};
constexpr std::string_view kKeySet[] = {"application/jwk-set+json"};
constexpr Leaf kLeaves[] = {
    {".well-known/openid-configuration", "WellKnown", "getServiceAccountIssuerOpenIDConfiguration",
     ""},
    {"api", "core", "getCoreAPIVersions", "io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions"},
    {"apis", "apis", "getAPIVersions", "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList"},
    {"openid/v1/jwks", "openid", "getServiceAccountIssuerOpenIDKeyset", ""},
    {"version", "version", "getCodeVersion", "io.k8s.apimachinery.pkg.version.Info"},
};

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

}  // namespace

std::span<const Leaf> document_leaves() { return kLeaves; }

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

Json document_info() {
  Json out = Json::object();
  out.set("title", "Kubernetes");
  out.set("version", "1.32");
  return out;
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

}  // namespace orrery::server
