#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/api/schema.h"

namespace orrery::server {

/// OpenAPI comes in two versions: one document of everything ("swagger: 2.0"), or one for each
/// group and version ("openapi: 3.0.0").
enum class SpecVersion : uint8_t { kV2, kV3 };

/// facts.jsonl, read.
class SchemaFacts {
 public:
  SchemaFacts();
  /// The whole schema of a type; nullptr if its descriptor tells it.
  const api::Json* schema(std::string_view type, SpecVersion version) const;
  /// Members to add to the schema of a type or, as "TYPE/FIELD", of a field.
  const api::Json* additions(std::string_view name) const { return find(additions_, name); }
  /// What a type or, as "TYPE/FIELD", a field is for; nullptr if nothing is said of it.
  const api::Json* description(std::string_view name) const { return find(descriptions_, name); }
  const api::Json* kinds(std::string_view type) const { return find(kinds_, type); }
  /// The values of an enumeration ("v1.PullPolicy"); nullptr if the Go type is none.
  const api::Json* values(std::string_view go_type) const { return find(values_, go_type); }

 private:
  using Map = std::map<std::string, api::Json, std::less<>>;
  static const api::Json* find(const Map& map, std::string_view name);
  Map schemas_, schemas_v2_, additions_, descriptions_, kinds_, values_;
};

/// The schemas of one OpenAPI document: those that were asked for, and what they refer to. The
/// rules are those of kube-openapi for Kubernetes v1.32: v3 tells defaults (also of fields that are
/// always written) and puts references with siblings inside allOf; v2 does neither.
class Schemas {
 public:
  Schemas(const SchemaFacts& facts, SpecVersion version) : facts_(facts), version_(version) {}
  SpecVersion version() const { return version_; }
  /// {"$ref": ...} to a type by name ("io.k8s.api.core.v1.Pod"), whose schema is in the document
  /// then.
  api::Json reference(std::string_view type);
  bool contains(std::string_view type) const { return schemas_.contains(type); }
  /// The same for a schema that is no table's.
  api::Json define(std::string_view name, api::Json schema);
  /// {"$ref": ...} for a field that may get siblings.
  api::Json reference_among_others(std::string_view type);
  /// Says what a field of the type is for, if that is known.
  void describe(std::string_view type, std::string_view field, api::Json& schema) const;
  /// In order of name; leaves none.
  api::Json take();

 private:
  api::Json type_schema(const api::TypeDesc& type);
  void add_fields(const api::TypeDesc& type, api::Json& properties, api::Json& required);
  api::Json field_schema(const api::FieldDesc& field);
  api::Json value_schema(const api::FieldDesc& field, bool zero, bool element);
  api::Json kinds_of(const api::TypeDesc& type) const;

  const SchemaFacts& facts_;
  const SpecVersion version_;
  std::map<std::string, api::Json, std::less<>> schemas_;
};

}  // namespace orrery::server
