#include "engine/server/openapi/schemas.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/str.h"
#include "engine/server/openapi/description_table.h"
#include "engine/server/openapi/schema_table.h"

namespace orrery::server {
namespace {

using api::FieldDesc;
using api::FieldKind;
using api::Form;
using api::Json;

Json typed(std::string_view type, std::string_view format = {}) {
  Json out = Json::object();
  out.set("type", type);
  if (!format.empty()) out.set("format", format);
  return out;
}

Json parsed(std::string_view text) {
  auto json = Json::parse(text);
  CHECK(json.is_ok());
  return *std::move(json);
}

void add_members(Json& to, const Json* from) {
  if (!from) return;
  for (const auto& member : from->members()) to.set(member.key, member.value);
}

// What a Go type is without pointers, lists and maps around it.
std::string_view element_type(std::string_view go_type) {
  const size_t end = go_type.find_last_of("]*");
  return end == go_type.npos ? go_type : go_type.substr(end + 1);
}

// The name under which a value of a field is defined; "" for plain values.
std::string_view defined_type(const FieldDesc& field) {
  switch (field.kind) {
    case FieldKind::kStruct:
      return field.type->name;
    case FieldKind::kQuantity:
      return "io.k8s.apimachinery.pkg.api.resource.Quantity";
    case FieldKind::kTime:
      return "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
    case FieldKind::kMicroTime:
      return "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
    case FieldKind::kDuration:
      return "io.k8s.apimachinery.pkg.apis.meta.v1.Duration";
    case FieldKind::kIntOrString:
      return "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
    case FieldKind::kFieldsV1:
      return "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
    case FieldKind::kRawJson:
      return field.go_type.ends_with("RawExtension")
                 ? "io.k8s.apimachinery.pkg.runtime.RawExtension"
                 : "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON";
    default:
      return {};
  }
}

Json plain_schema(FieldKind kind, bool with_default) {
  auto with = [&](Json schema, Json zero) {
    if (with_default) schema.set("default", std::move(zero));
    return schema;
  };
  switch (kind) {
    case FieldKind::kBool:
      return with(typed("boolean"), false);
    case FieldKind::kInt32:
      return with(typed("integer", "int32"), 0);
    case FieldKind::kInt64:
      return with(typed("integer", "int64"), 0);
    case FieldKind::kFloat64:
      return with(typed("number", "double"), 0);
    case FieldKind::kBytes:
      return typed("string", "byte");
    default:
      return with(typed("string"), "");
  }
}

std::string_view text_of(api::ListType type) {
  switch (type) {
    case api::ListType::kAtomic:
      return "atomic";
    case api::ListType::kSet:
      return "set";
    case api::ListType::kMap:
      return "map";
    case api::ListType::kNone:
      break;
  }
  return {};
}

bool has_type_meta(const api::TypeDesc& type) {
  return std::any_of(type.fields.begin(), type.fields.end(), [](const FieldDesc& field) {
    return field.form == Form::kInline && field.json.empty() && field.type->name.ends_with(".TypeMeta");
  });
}

void add_merge_rules(const FieldDesc& field, Json& schema) {
  if (field.list_type != api::ListType::kNone)
    schema.set("x-kubernetes-list-type", text_of(field.list_type));
  if (!field.list_map_keys.empty()) {
    Json& keys = schema.set("x-kubernetes-list-map-keys", Json::array());
    for (std::string_view rest = field.list_map_keys; !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      keys.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (!field.patch_strategy.empty())
    schema.set("x-kubernetes-patch-strategy", field.patch_strategy);
  if (!field.patch_merge_key.empty())
    schema.set("x-kubernetes-patch-merge-key", field.patch_merge_key);
  if (field.form == Form::kMap && field.atomic_map) schema.set("x-kubernetes-map-type", "atomic");
}

}  // namespace

SchemaFacts::SchemaFacts() {
  for (std::string_view line : description_table()) {
    const Json fact = parsed(line);
    const Json* field = fact.find("field");
    descriptions_[str_cat(fact["type"].text(), field ? "/" : "", field ? field->text() : "")] = fact["description"];
  }
  for (std::string_view line : schema_table()) {
    const Json fact = parsed(line);
    if (const Json* name = fact.find("enum")) {
      values_[std::string(name->as_string())] = fact["values"];
      continue;
    }
    std::string type(fact["type"].as_string());
    if (const Json* field = fact.find("field")) type += str_cat("/", field->as_string());
    if (const Json* schema = fact.find("schema")) schemas_[type] = *schema;
    if (const Json* schema = fact.find("schemaV2")) schemas_v2_[type] = *schema;
    if (const Json* add = fact.find("add")) additions_[type] = *add;
    if (const Json* kinds = fact.find("kinds")) kinds_[type] = *kinds;
  }
}

const Json* SchemaFacts::schema(std::string_view type, SpecVersion version) const {
  const Json* second = version == SpecVersion::kV2 ? find(schemas_v2_, type) : nullptr;
  return second ? second : find(schemas_, type);
}

const Json* SchemaFacts::find(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

Json Schemas::reference(std::string_view type) {
  if (!schemas_.contains(type)) {
    schemas_.emplace(type, Json::object());  // it may refer to itself
    const Json* whole = facts_.schema(type, version_);
    const api::TypeDesc* desc = api::find_type(type);
    CHECK(whole || desc);
    Json schema = whole ? *whole : type_schema(*desc);
    schemas_.find(type)->second = std::move(schema);
  }
  Json out = Json::object();
  const bool second = version_ == SpecVersion::kV2;
  out.set("$ref", str_cat(second ? "#/definitions/" : "#/components/schemas/", type));
  return out;
}

Json Schemas::reference_among_others(std::string_view type) {
  Json to = reference(type);
  if (version_ == SpecVersion::kV2) return to;
  Json out = Json::object();
  out.set("allOf", Json::array()).push_back(std::move(to));
  return out;
}

Json Schemas::define(std::string_view name, Json schema) {
  schemas_.insert_or_assign(std::string(name), std::move(schema));
  return reference(name);
}

Json Schemas::take() {
  Json out = Json::object();
  for (auto& [name, schema] : schemas_) out.members().push_back({name, std::move(schema)});
  schemas_.clear();
  return out;
}

Json Schemas::type_schema(const api::TypeDesc& type) {
  Json schema = typed("object");
  if (const Json* text = facts_.description(type.name)) schema.set("description", *text);
  Json properties = Json::object(), required = Json::array();
  add_fields(type, properties, required);
  if (required.size()) schema.set("required", std::move(required));
  if (properties.size()) schema.set("properties", std::move(properties));
  add_members(schema, facts_.additions(type.name));
  Json kinds = kinds_of(type);
  if (kinds.size()) schema.set("x-kubernetes-group-version-kind", std::move(kinds));
  return schema;
}

void Schemas::add_fields(const api::TypeDesc& type, Json& properties, Json& required) {
  for (const FieldDesc& field : type.fields) {
    if (field.form == Form::kInline) {
      add_fields(*field.type, properties, required);
      continue;
    }
    Json schema = field_schema(field);
    add_members(schema, facts_.additions(str_cat(type.name, "/", field.json)));
    describe(has_type_meta(type) && !facts_.description(str_cat(type.name, "/", field.json)) ? "*" : type.name, field.json, schema);
    properties.set(field.json, std::move(schema));
    if (field.required) required.push_back(field.json);
  }
}

void Schemas::describe(std::string_view type, std::string_view field, Json& schema) const {
  if (const Json* text = facts_.description(str_cat(type, "/", field))) schema.set("description", *text);
}

Json Schemas::field_schema(const FieldDesc& field) {
  Json schema;
  if (field.form == Form::kList || field.form == Form::kMap) {
    schema = typed(field.form == Form::kList ? "array" : "object");
    schema.set(field.form == Form::kList ? "items" : "additionalProperties",
               value_schema(field, !field.pointer_elements, true));
  } else {
    const bool always =
        field.form != Form::kPointer && (field.kind == FieldKind::kStruct || !field.omit_empty);
    schema = value_schema(field, always, false);
    if (!field.default_json.empty() && version_ == SpecVersion::kV3)
      schema.set("default", parsed(field.default_json));
  }
  add_merge_rules(field, schema);
  return schema;
}

Json Schemas::value_schema(const FieldDesc& field, bool zero, bool element) {
  const std::string_view defined = defined_type(field);
  const bool with_default = zero && version_ == SpecVersion::kV3;
  if (defined.empty()) {
    if (field.kind == FieldKind::kStringList) {
      Json list = typed("array");
      list.set("items", plain_schema(FieldKind::kString, version_ == SpecVersion::kV3));
      return list;
    }
    Json schema = plain_schema(field.kind, with_default);
    if (const Json* values = facts_.values(element_type(field.go_type)))
      schema.set("enum", *values);
    return schema;
  }
  const bool empty_object =
      with_default && field.kind == FieldKind::kStruct && !facts_.schema(defined, version_);
  if (element && !empty_object) return reference(defined);
  Json schema = reference_among_others(defined);
  if (empty_object) schema.set("default", Json::object());
  return schema;
}

Json Schemas::kinds_of(const api::TypeDesc& type) const {
  if (const Json* kinds = facts_.kinds(type.name)) return *kinds;
  Json out = Json::array();
  for (const api::KindDesc* kind : api::all_kinds()) {
    if (kind->type != &type) continue;
    Json& entry = out.push_back(Json::object());
    entry.set("group", kind->group);
    entry.set("kind", kind->kind);
    entry.set("version", kind->version);
  }
  return out;
}

}  // namespace orrery::server
