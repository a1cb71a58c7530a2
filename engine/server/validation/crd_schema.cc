#include "engine/server/validation/crd_schema.h"

#include <algorithm>
#include <array>
#include <set>

#include "engine/api/cel/cost.h"
#include "engine/api/go_format.h"
#include "engine/api/regex.h"
#include "engine/server/custom/custom_schema.h"
#include "engine/server/custom/schema_check.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::array<std::string_view, 6> kTypes = {"array", "boolean", "integer", "number", "object", "string"};

std::string_view type_of(const Json& schema) { return schema["type"].text(); }

constexpr std::string_view kUnsupported[] = {"id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"};

// What OpenAPI has and custom resources have not.
void check_supported(const Json& schema, const Path& at, Findings& findings) {
  for (const std::string_view name : kUnsupported)
    if (schema.find(name)) findings.forbidden(at.child(name), str_cat(name, " is not supported"));
  if (type_of(schema) == "null") findings.forbidden(at.child("type"), "type cannot be set to null, use nullable as an alternative");
  if (schema["items"].is_array()) findings.forbidden(at.child("items"), "items must be a schema object and not an array");
  const std::string_view type = type_of(schema);
  if (!type.empty() && type != "null" && std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
    findings.not_supported(at.child("type"), type, kTypes);
  if (schema["uniqueItems"].is_true())
    findings.forbidden(at.child("uniqueItems"), "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
}

void check_map_keys(const Json& schema, const Path& at, Findings& findings) {
  const Json &keys = schema["x-kubernetes-list-map-keys"], &items = schema["items"];
  if (keys.size() == 0) findings.required(at.child("x-kubernetes-list-map-keys"), "must not be empty if x-kubernetes-list-type is map");
  if (items.is_null()) return findings.required(at.child("items"), "must have a schema if x-kubernetes-list-type is map");
  const Path below = at.child("items");
  if (type_of(items) != "object")
    findings.invalid(below.child("type"), type_of(items), "must be object if parent array's x-kubernetes-list-type is map");
  std::set<std::string_view> seen, required;
  for (const Json& name : items["required"].items()) required.insert(name.text());
  for (const Json& key : keys.items()) {
    const std::string_view name = key.text();
    const Json* property = items["properties"].find(name);
    if (!seen.insert(name).second)
      findings.invalid(at.child("x-kubernetes-list-map-keys"), Shown::raw(api::go_syntax(keys)), "must not contain duplicate entries");
    if (!property) {
      findings.invalid(at.child("x-kubernetes-list-map-keys"), Shown::raw(api::go_syntax(keys)), "entries must all be names of item properties");
      continue;
    }
    const Path here = below.child_key("properties", name);
    if (type_of(*property) == "object" || type_of(*property) == "array")
      findings.invalid(here.child("type"), type_of(*property), "must be a scalar type if parent array's x-kubernetes-list-type is map");
    if (!required.contains(name) && !property->find("default"))
      findings.required(here.child("default"),
                        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
  }
}

void check_extensions(const Json& schema, const Path& at, Findings& findings) {
  const std::string_view type = type_of(schema);
  const auto wants = [&](std::string_view extension, std::string_view wanted) {
    if (!schema.find(extension) || type == wanted) return;
    const std::string why = str_cat("must be ", wanted, " if ", extension, " is ", extension.ends_with("-type") ? "specified" : "true");
    if (type.empty()) findings.required(at.child("type"), why);
    else findings.invalid(at.child("type"), type, why);
  };
  wants("x-kubernetes-map-type", "object");
  wants("x-kubernetes-list-type", "array");
  const std::string_view map = schema["x-kubernetes-map-type"].text(), list = schema["x-kubernetes-list-type"].text();
  if (!map.empty() && map != "granular" && map != "atomic")
    findings.not_supported(at.child("x-kubernetes-map-type"), map, {"granular", "atomic"});
  if (!list.empty() && list != "atomic" && list != "set" && list != "map")
    findings.not_supported(at.child("x-kubernetes-list-type"), list, {"atomic", "set", "map"});
  if (schema["x-kubernetes-list-map-keys"].size() > 0 && list != "map") {
    constexpr std::string_view kWhy = "must be map if x-kubernetes-list-map-keys is non-empty";
    if (list.empty()) findings.required(at.child("x-kubernetes-list-type"), kWhy);
    else findings.invalid(at.child("x-kubernetes-list-type"), list, kWhy);
  }
  if (list == "map") check_map_keys(schema, at, findings);
  const Json* preserve = schema.find("x-kubernetes-preserve-unknown-fields");
  if (preserve && !preserve->is_true()) findings.invalid(at.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined");
}

template <typename Visit>
void each_below(const Json& schema, const Path& at, Visit visit) {
  if (schema["additionalProperties"].is_object()) visit(schema["additionalProperties"], at.child("additionalProperties"));
  for (const Json::Member& property : schema["properties"].members()) visit(property.value, at.child_key("properties", property.key));
  if (schema["items"].is_object()) visit(schema["items"], at.child("items"));
}

// Into the items of a list or the members of a map.
void step_into(const Json& schema, const Path& at, RuleCosts& costs) {
  costs.cardinality = api::cel::times(costs.cardinality, api::cel::size_max(schema));
  const bool loses = type_of(schema) == "array" && schema["x-kubernetes-list-type"].text() != "map";
  if (!loses || !costs.correlatable) return;
  costs.correlatable = false;
  costs.uncorrelated_at = at.text();
}

void check_openapi(const Json& schema, bool root, const Path& at, RuleCosts& costs, Findings& findings) {
  check_supported(schema, at, findings);
  const Json* others = schema.find("additionalProperties");
  if (others && schema["properties"].size() > 0 && !others->is_true())
    findings.forbidden(at.child("additionalProperties"), "additionalProperties and properties are mutual exclusive");
  const RuleCosts here = costs;
  each_below(schema, at, [&](const Json& below, const Path& where) {
    const bool is_property = &below != &schema["items"] && &below != &schema["additionalProperties"];
    if (!is_property) step_into(schema, at, costs);
    check_openapi(below, false, where, costs, findings);
    costs.cardinality = here.cardinality;
    costs.correlatable = here.correlatable;
    costs.uncorrelated_at = here.uncorrelated_at;
  });
  if (const std::string_view pattern = schema["pattern"].text(); !pattern.empty()) check_pattern(pattern, at.child("pattern"), findings);
  check_extensions(schema, at, findings);
  check_schema_rules(schema, root, at, costs, findings);
}

// Without anything that structural schemas cannot have.
bool is_supported(const Json& schema, const Path& at) {
  for (const std::string_view name : kUnsupported)
    if (schema.find(name)) return false;
  bool supported = !schema["items"].is_array();
  each_below(schema, at, [&](const Json& below, const Path& where) { supported = supported && is_supported(below, where); });
  return supported;
}

enum class Level : uint8_t { kRoot, kField, kItem };

bool only_names(const Json& metadata) {
  for (const Json::Member& member : metadata.members()) {
    if (member.key == "type" || member.key == "description") continue;
    if (member.key != "properties") return false;
    for (const Json::Member& property : member.value.members())
      if (property.key != "name" && property.key != "generateName") return false;
  }
  return true;
}

// Schemas below logical words say nothing about structure.
void check_value_schemas(const Json& schema, const Path& at, Findings& findings) {
  static constexpr std::string_view kForbidden[] = {"type", "default", "nullable", "description", "additionalProperties",
                                                    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"};
  const auto check = [&](const Json& inner, const Path& where) {
    for (const std::string_view name : kForbidden)
      if (inner.find(name)) findings.forbidden(where.child(name), "must be empty to be structural");
    check_value_schemas(inner, where, findings);
  };
  for (const char* word : {"allOf", "anyOf", "oneOf"}) {
    size_t index = 0;
    for (const Json& inner : schema[word].items()) check(inner, at.child(word, index++));
  }
  if (schema["not"].is_object()) check(schema["not"], at.child("not"));
}

void check_structural(const Json& schema, Level level, const Path& at, Findings& findings) {
  const std::string_view type = type_of(schema);
  const bool mixed = schema["x-kubernetes-int-or-string"].is_true(), open = schema["x-kubernetes-preserve-unknown-fields"].is_true();
  if (type == "array" && schema["items"].is_null()) findings.required(at.child("items"), "must be specified");
  if (type.empty() && !mixed && !(open && level != Level::kRoot)) {
    findings.required(at.child("type"), level == Level::kRoot    ? "must not be empty at the root"
                                        : level == Level::kItem ? "must not be empty for specified array items"
                                                                 : "must not be empty for specified object fields");
  }
  if (level == Level::kRoot && !type.empty() && type != "object") findings.invalid(at.child("type"), type, "must be object at the root");
  if (level == Level::kRoot && schema.find("additionalProperties"))
    findings.forbidden(at.child("additionalProperties"), "must not be used at the root");
  if ((level == Level::kRoot || schema["x-kubernetes-embedded-resource"].is_true()) && !only_names(schema["properties"]["metadata"]))
    findings.forbidden(at.child_key("properties", "metadata"),
                       "must not specify anything other than name and generateName, but metadata is implicitly specified");
  if (!mixed) check_value_schemas(schema, at, findings);
  for (const Json::Member& property : schema["properties"].members()) {
    const Path below = at.child_key("properties", property.key);
    check_structural(property.value, Level::kField, below, findings);
  }
  if (schema["additionalProperties"].is_object())
    check_structural(schema["additionalProperties"], Level::kField, at.child("additionalProperties"), findings);
  if (schema["items"].is_object()) check_structural(schema["items"], Level::kItem, at.child("items"), findings);
}

void check_defaults(const Json& schema, const Path& at, Findings& findings) {
  const Json* value = schema.find("default");
  if (value && !value->is_null()) {
    const Path here = at.child("default");
    Json pruned = *value;
    std::vector<std::string> unknown;
    CustomSchema(schema, false).prune(pruned, unknown);
    if (!unknown.empty()) {
      findings.invalid(here, Shown::raw(api::go_syntax(*value)), "must not have unknown fields");
    } else {
      FieldErrors errors;
      check_by_schema(*value, nullptr, schema, "", errors);
      for (const FieldError& error : errors) {
        const bool whole = error.field == "<nil>" || error.field.empty();
        findings.add_found(whole ? here.text() : str_cat(here.text(), ".", error.field), error.reason, error.detail);
      }
    }
  }
  each_below(schema, at, [&](const Json& below, const Path& where) { check_defaults(below, where, findings); });
}

}  // namespace

void check_pattern(std::string_view pattern, const Path& at, Findings& findings) {
  const auto regex = api::Regex::compile(pattern);
  if (!regex.is_ok()) findings.invalid(at, pattern, str_cat("must be a valid regular expression, but isn't: ", regex.status().message()));
}

void check_custom_schema(const Json& schema, const Path& at, Findings& findings) {
  constexpr uint64_t kCostMax = 100'000'000;
  RuleCosts costs;
  check_openapi(schema, true, at, costs, findings);
  if (costs.total > kCostMax) {
    for (const auto& [place, cost] : costs.expensive)
      findings.add_found(place, "FieldValueForbidden",
                         "Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema");
    findings.forbidden(at, cost_message("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", costs.total, kCostMax));
  }
  if (!is_supported(schema, at)) return;
  const size_t before = findings.size();
  check_structural(schema, Level::kRoot, at, findings);
  if (findings.size() == before) check_defaults(schema, at, findings);
}

}  // namespace orrery::server
