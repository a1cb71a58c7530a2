#include "engine/api/gen/metav1.h"
#include "engine/server/managed_fields/merge_schema.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using api::ListType;



CustomType scalar(CustomType::Scalar kind) {
  CustomType type;
  type.kind = CustomType::Kind::kScalar;
  type.scalar = kind;
  return type;
}

void add_type_meta(CustomType& type) {
  type.fields["apiVersion"] = scalar(CustomType::Scalar::kString);
  type.fields["kind"] = scalar(CustomType::Scalar::kString);
  CustomType metadata;
  metadata.kind = CustomType::Kind::kObject;
  metadata.builtin = &api::type_desc<metav1::ObjectMeta>();
  type.fields["metadata"] = std::move(metadata);
}

CustomType node(const Json& schema);

CustomType list(const Json& schema) {
  CustomType type;
  type.kind = CustomType::Kind::kList;
  const std::string_view relation = schema["x-kubernetes-list-type"].text();
  if (relation == "set") type.list_type = ListType::kSet;
  if (relation == "map") type.list_type = ListType::kMap;
  for (const Json& key : schema["x-kubernetes-list-map-keys"].items())
    type.list_keys += (type.list_keys.empty() ? "" : " ") + key.as_string().str();
  if (schema["items"].is_object()) type.element = std::make_unique<CustomType>(node(schema["items"]));
  return type;
}

CustomType object(const Json& schema) {
  CustomType type;
  type.kind = CustomType::Kind::kObject;
  type.atomic = schema["x-kubernetes-map-type"].text() == "atomic";
  for (const auto& property : schema["properties"].members()) type.fields[property.key.str()] = node(property.value);
  if (schema["x-kubernetes-embedded-resource"].is_true()) add_type_meta(type);
  if (schema["additionalProperties"].is_object()) {
    type.element = std::make_unique<CustomType>(node(schema["additionalProperties"]));
  } else if (schema["x-kubernetes-preserve-unknown-fields"].is_true() || schema["additionalProperties"].is_true()) {
    type.element = std::make_unique<CustomType>();
  }
  return type;
}

CustomType node(const Json& schema) {
  const std::string_view kind = schema["type"].text();
  CustomType type;
  if (schema["x-kubernetes-int-or-string"].is_true()) {
    type = scalar(CustomType::Scalar::kAny);
  } else if (kind == "object") {
    type = object(schema);
  } else if (kind == "array") {
    type = list(schema);
  } else if (kind == "string") {
    type = scalar(CustomType::Scalar::kString);
  } else if (kind == "boolean") {
    type = scalar(CustomType::Scalar::kBool);
  } else if (kind == "integer" || kind == "number") {
    type = scalar(CustomType::Scalar::kNumber);
  }
  type.default_value = schema["default"];
  return type;
}

}  // namespace

CustomType custom_type(const Json& structural_schema) {
  CustomType type = node(structural_schema);
  // Without a schema all members are kept as they are.
  if (type.kind == CustomType::Kind::kAny) {
    type.kind = CustomType::Kind::kObject;
    type.element = std::make_unique<CustomType>();
  }
  add_type_meta(type);
  return type;
}

}  // namespace orrery::server::managed
