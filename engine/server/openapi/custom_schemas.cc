#include "engine/server/openapi/custom_schemas.h"

#include <algorithm>

#include "engine/base/str.h"
#include "engine/server/openapi/operations.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
// What a schema may hold and a structural schema has no place for.
constexpr std::string_view kNotStructural[] = {"$schema", "example", "externalDocs", "id"};
// What OpenAPI v2 has not; defaults go so that the schemas fit those of built-in types.
constexpr std::string_view kNotInV2[] = {"allOf", "anyOf", "default", "not", "oneOf"};
constexpr std::string_view kAnyFields = "x-kubernetes-preserve-unknown-fields";

Json typed(std::string_view type) {
  Json out = Json::object();
  out.set("type", type);
  return out;
}

// Groups of custom resources are domains: "stable.example.com" defines
// com.example.stable.v1.CronTab.
std::string schema_name(const ServedResource& resource, std::string_view kind) {
  std::string domain;
  for (std::string_view rest = resource.group; !rest.empty();) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    domain = str_cat(rest.substr(0, dot), domain.empty() ? "" : ".", domain);
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return str_cat(domain, ".", resource.version, ".", kind);
}

Json int_or_string() {
  Json out = Json::array();
  out.push_back(typed("integer"));
  out.push_back(typed("string"));
  return out;
}

// What x-kubernetes-int-or-string stands for.
void unfold(Json& schema) {
  if (!schema["x-kubernetes-int-or-string"].is_true()) return;
  const Json either = int_or_string();
  const Json& all = schema["allOf"];
  if (schema["anyOf"] == either || (all.size() && all[size_t{0}]["anyOf"] == either)) return;
  if (!schema.find("anyOf")) {
    schema.set("anyOf", either);
    return;
  }
  Json first = Json::object();
  first.set("anyOf", either);
  Json wanted = Json::array();
  wanted.push_back(std::move(first));
  for (const Json& one : all.items()) wanted.push_back(one);
  schema.set("allOf", std::move(wanted));
}

void drop_required(Json& schema, const Json& properties) {
  Json* required = schema.find("required");
  if (!required) return;
  std::erase_if(required->items(),
                [&](const Json& name) { return properties[name.text()]["nullable"].is_true(); });
  const bool whole = schema["additionalProperties"]["nullable"].is_true();
  if (whole || !required->size()) schema.erase("required");
}

// kubectl takes fields of unknown objects, lists without items and the like for errors, unless it
// is told nothing of them.
void fit_second_version(Json& schema) {
  for (std::string_view key : kNotInV2) schema.erase(key);
  const bool open = schema[kAnyFields].is_true(), nullable = schema["nullable"].is_true();
  if (open || nullable) {
    schema.erase("items");
    schema.erase("properties");
  }
  const std::string_view type = schema["type"].text();
  if (nullable || (type == "array" && !schema.find("items")) || (open && type == "object"))
    schema.erase("type");
  schema.erase("nullable");
  drop_required(schema, schema["properties"]);
}

void add_object_properties(Json& schema, std::string_view meta, Schemas& schemas) {
  Json* properties = schema.find("properties");
  if (!properties) properties = &schema.set("properties", Json::object());
  for (const char* name : {"apiVersion", "kind"})
    schemas.describe(str_cat(kMeta, "TypeMeta"), name, properties->set(name, typed("string")));
  schemas.describe("*", "metadata", properties->set("metadata", schemas.reference_among_others(str_cat(kMeta, meta))));
}

void require(Json& schema, std::string_view name) {
  Json* required = schema.find("required");
  if (!required) required = &schema.set("required", Json::array());
  const auto& names = required->items();
  if (std::none_of(names.begin(), names.end(), [&](const Json& n) { return n.text() == name; }))
    required->push_back(name);
}

// From the outside in: what a schema leaves out is not looked at.
void publish(Json& schema, Schemas& schemas) {
  const bool second = schemas.version() == SpecVersion::kV2;
  for (std::string_view key : kNotStructural) schema.erase(key);
  if (second) {
    fit_second_version(schema);
  } else {
    unfold(schema);
  }
  if (Json* items = schema.find("items")) publish(*items, schemas);
  if (Json* properties = schema.find("properties"))
    for (auto& property : properties->members()) publish(property.value, schemas);
  Json* others = schema.find("additionalProperties");
  if (others && others->is_object()) publish(*others, schemas);
  if (!schema["x-kubernetes-embedded-resource"].is_true()) return;
  if (second && schema[kAnyFields].is_true()) return;
  add_object_properties(schema, "ObjectMeta", schemas);
  for (const char* name : {"kind", "apiVersion"}) require(schema, name);
}

Json object_schema(const ServedResource& resource, Schemas& schemas) {
  const bool second = schemas.version() == SpecVersion::kV2;
  if (!resource.schema.is_object() || (second && resource.schema[kAnyFields].is_true()))
    return typed("object");
  Json schema = resource.schema;
  publish(schema, schemas);
  add_object_properties(schema, "ObjectMeta", schemas);
  return schema;
}

Json list_schema(const ServedResource& resource, Schemas& schemas) {
  Json schema = typed("object");
  add_object_properties(schema, "ListMeta", schemas);
  Json& items = schema.find("properties")->set("items", typed("array"));
  items.set("items", custom_reference(resource, false, schemas));
  require(schema, "items");
  return schema;
}

}  // namespace

Json custom_reference(const ServedResource& resource, bool list, Schemas& schemas) {
  const std::string kind = str_cat(resource.kind, list ? "List" : "");
  const std::string name = schema_name(resource, kind);
  if (schemas.contains(name)) return schemas.reference(name);
  Json schema = list ? list_schema(resource, schemas) : object_schema(resource, schemas);
  schema.set("x-kubernetes-group-version-kind", Json::array())
      .push_back(kind_entry(resource.group, resource.version, kind));
  Json& selectable = schema.set("x-kubernetes-selectable-fields", Json::array());
  for (std::string_view path : resource.selectable_fields) {
    if (path.starts_with(".")) path.remove_prefix(1);
    selectable.push_back(Json::object()).set("fieldPath", path);
  }
  return schemas.define(name, std::move(schema));
}

}  // namespace orrery::server
