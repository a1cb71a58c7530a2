#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/api/schema.h"

namespace orrery::server {

/// facts.jsonl, read.
class SchemaFacts {
 public:
  SchemaFacts();
  /// The whole schema of a type; nullptr if its descriptor tells it.
  const api::Json* schema(std::string_view type) const { return find(schemas_, type); }
  /// Members to add to the schema of a type or, as "TYPE/FIELD", of a field.
  const api::Json* additions(std::string_view name) const { return find(additions_, name); }
  const api::Json* kinds(std::string_view type) const { return find(kinds_, type); }
  /// The values of an enumeration ("v1.PullPolicy"); nullptr if the Go type is none.
  const api::Json* values(std::string_view go_type) const { return find(values_, go_type); }

 private:
  using Map = std::map<std::string, api::Json, std::less<>>;
  static const api::Json* find(const Map& map, std::string_view name);
  Map schemas_, additions_, kinds_, values_;
};

/// The component schemas of one OpenAPI v3 document: those that were asked for, and what they refer
/// to. The rules are those of kube-openapi for Kubernetes v1.32 (defaults of fields that are always
/// written, references with siblings inside allOf).
class Schemas {
 public:
  explicit Schemas(const SchemaFacts& facts) : facts_(facts) {}
  /// {"$ref": ...} to a type by name ("io.k8s.api.core.v1.Pod"), whose schema is in the document
  /// then.
  api::Json reference(std::string_view type);
  /// The same for a schema that is no table's.
  api::Json define(std::string_view name, api::Json schema);
  /// In order of name.
  api::Json take() const;

 private:
  api::Json type_schema(const api::TypeDesc& type);
  void add_fields(const api::TypeDesc& type, api::Json& properties, api::Json& required);
  api::Json field_schema(const api::FieldDesc& field);
  api::Json value_schema(const api::FieldDesc& field, bool with_default, bool element);
  api::Json kinds_of(const api::TypeDesc& type) const;

  const SchemaFacts& facts_;
  std::map<std::string, api::Json, std::less<>> schemas_;
};

}  // namespace orrery::server
