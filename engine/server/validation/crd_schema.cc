#include "engine/server/validation/crd_schema.h"

#include <algorithm>
#include <array>
#include <set>

#include "engine/api/cel/schema_size.h"
#include "engine/api/go_format.h"
#include "engine/server/custom/custom_schema.h"
#include "engine/server/custom/schema_check.h"
#include "engine/server/custom/schema_rules.h"
#include "engine/server/validation/crd_structural.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::array<std::string_view, 6> kTypes = {"array", "boolean", "integer", "number", "object", "string"};

std::string_view type_of(const Json& schema) { return schema["type"].text(); }

// Where a walk through a schema is.
struct Scope {
  bool root = false;
  bool in_metadata = false;
  std::string no_defaults;  // why there may be none; empty: there may
  bool rules = true;        // not below logical words
};

struct Walk {
  Findings schema, rules;
  RuleCosts costs;
};

// What OpenAPI has and custom resources have not.
void check_supported(const Json& schema, const Scope& scope, const Path& at, Findings& findings) {
  const auto forbid = [&](bool found, std::string_view name) {
    if (found) findings.forbidden(at.child(name), str_cat(name, " is not supported"));
  };
  const std::string_view type = type_of(schema);
  if (!type.empty() && std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
    findings.not_supported(at.child("type"), type, kTypes);
  if (!scope.no_defaults.empty() && schema.find("default") && !schema["default"].is_null())
    findings.forbidden(at.child("default"), str_cat("must not be set ", scope.no_defaults));
  forbid(!schema["id"].text().empty(), "id");
  forbid(schema.find("additionalItems"), "additionalItems");
  forbid(schema["patternProperties"].size() > 0, "patternProperties");
  forbid(schema["definitions"].size() > 0, "definitions");
  forbid(schema.find("dependencies"), "dependencies");
  forbid(schema.find("$ref"), "$ref");
  if (type == "null") findings.forbidden(at.child("type"), "type cannot be set to null, use nullable as an alternative");
  if (schema["items"].is_array() && schema["items"].size() > 0)
    findings.forbidden(at.child("items"), "items must be a schema object and not an array");
  if (scope.in_metadata && schema["x-kubernetes-embedded-resource"].is_true())
    findings.forbidden(at.child("x-kubernetes-embedded-resource"), "must not be used inside of resource meta");
  if (schema["uniqueItems"].is_true())
    findings.forbidden(at.child("uniqueItems"), "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
  const Json* others = schema.find("additionalProperties");
  if (others && schema["properties"].size() > 0 && !others->is_true())
    findings.forbidden(at.child("additionalProperties"), "additionalProperties and properties are mutual exclusive");
}

void check_map_keys(const Json& schema, const Path& at, Findings& findings) {
  const Json &keys = schema["x-kubernetes-list-map-keys"], &items = schema["items"];
  const Path here = at.child("x-kubernetes-list-map-keys"), below = at.child("items");
  if (keys.size() == 0) findings.required(here, "must not be empty if x-kubernetes-list-type is map");
  if (items.is_null()) return findings.required(below, "must have a schema if x-kubernetes-list-type is map");
  if (type_of(items) != "object")
    return findings.invalid(below.child("type"), type_of(items), "must be object if parent array's x-kubernetes-list-type is map");
  std::set<std::string_view> seen;
  for (const Json& key : keys.items()) {
    const std::string_view name = key.text();
    const Path property_at = below.child_key("properties", name);
    const Json* property = items["properties"].find(name);
    if (!property)
      findings.invalid(here, Shown::raw(api::go_syntax(keys)), "entries must all be names of item properties");
    else if (type_of(*property) == "object" || type_of(*property) == "array")
      findings.invalid(property_at.child("type"), type_of(items), "must be a scalar type if parent array's x-kubernetes-list-type is map");
    if (!seen.insert(name).second) findings.invalid(here, Shown::raw(api::go_syntax(keys)), "must not contain duplicate entries");
  }
}

// The items of sets and maps are there, and so are the keys of maps.
void check_items_present(const Json& schema, const Path& at, Findings& findings) {
  const Json& items = schema["items"];
  const std::string_view list = schema["x-kubernetes-list-type"].text();
  if (!items.is_object() || (list != "set" && list != "map")) return;
  const Path below = at.child("items");
  if (items["nullable"].is_true())
    findings.forbidden(below.child("nullable"), str_cat("cannot be nullable when x-kubernetes-list-type is ", list));
  if (list == "set") return;
  std::set<std::string_view> required;
  for (const Json& name : items["required"].items()) required.insert(name.text());
  for (const Json& key : schema["x-kubernetes-list-map-keys"].items()) {
    const Json* property = items["properties"].find(key.text());
    const Path here = below.child_key("properties", key.text());
    if (!property) continue;
    if (!required.contains(key.text()) && !property->find("default"))
      findings.required(here.child("default"),
                        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
    if ((*property)["nullable"].is_true())
      findings.forbidden(here.child("nullable"), "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
  }
}

void check_set_items(const Json& items, const Path& at, Findings& findings) {
  constexpr std::string_view kText = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const Json &list = items["x-kubernetes-list-type"], &map = items["x-kubernetes-map-type"];
  const Shown shown = list.is_null() ? Shown("null") : Shown(list.text());
  if (type_of(items) == "array" && !list.is_null() && list.text() != "atomic")
    findings.invalid(at.child("x-kubernetes-list-type"), shown, kText);
  if (type_of(items) == "object" && map.text() != "atomic") findings.invalid(at.child("x-kubernetes-map-type"), shown, kText);
}

void check_extensions(const Json& schema, const Path& at, Findings& findings) {
  const std::string_view type = type_of(schema);
  // False: the type is another one.
  const auto wants = [&](std::string_view extension, std::string_view wanted) {
    if (!schema.find(extension) || type == wanted) return true;
    const std::string why = str_cat("must be ", wanted, " if ", extension, " is specified");
    if (type.empty()) findings.required(at.child("type"), why);
    else findings.invalid(at.child("type"), type, why);
    return false;
  };
  const Json* open = schema.find("x-kubernetes-preserve-unknown-fields");
  if (open && !open->is_true()) findings.invalid(at.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined");
  wants("x-kubernetes-map-type", "object");
  const Json *map = schema.find("x-kubernetes-map-type"), *list = schema.find("x-kubernetes-list-type");
  if (map && !is_one_of(map->text(), {"granular", "atomic"}))
    findings.not_supported(at.child("x-kubernetes-map-type"), map->text(), {"atomic", "granular"});
  if (wants("x-kubernetes-list-type", "array") && list && list->text() == "set" && schema["items"].is_object())
    check_set_items(schema["items"], at.child("items"), findings);
  if (list && !is_one_of(list->text(), {"atomic", "set", "map"}))
    findings.not_supported(at.child("x-kubernetes-list-type"), list->text(), {"atomic", "set", "map"});
  if (schema["x-kubernetes-list-map-keys"].size() > 0 && (!list || list->text() != "map")) {
    constexpr std::string_view kWhy = "must be map if x-kubernetes-list-map-keys is non-empty";
    if (!list) findings.required(at.child("x-kubernetes-list-type"), kWhy);
    else findings.invalid(at.child("x-kubernetes-list-type"), list->text(), kWhy);
  }
  if (list && list->text() == "map") check_map_keys(schema, at, findings);
  check_items_present(schema, at, findings);
}

template <typename Visit>
void each_below(const Json& schema, const Path& at, Visit visit) {
  if (schema["additionalProperties"].is_object()) visit(schema["additionalProperties"], at.child("additionalProperties"));
  for (const Json::Member& property : schema["properties"].members()) visit(property.value, at.child_key("properties", property.key));
  if (schema["items"].is_object()) visit(schema["items"], at.child("items"));
}

void check_openapi(const Json& schema, const Scope& scope, const Path& at, Walk& walk);

// What stands below is found again, unless it is a member of something atomic.
void step_into(const Json& schema, const Json& below, const Path& at, RuleCosts& costs) {
  const bool of_items = &below == &schema["items"], is_property = !of_items && &below != &schema["additionalProperties"];
  if (!is_property) {
    costs.bounded = costs.bounded && schema[of_items ? "maxItems" : "maxProperties"].is_int();
    costs.cardinality = api::cel::times(costs.cardinality, api::cel::size_max(schema));
  }
  const bool loses = of_items      ? schema["x-kubernetes-list-type"].text() != "map"
                     : is_property ? schema["x-kubernetes-map-type"].text() == "atomic"
                                   : false;
  if (!loses || !costs.correlatable) return;
  costs.correlatable = false;
  costs.uncorrelated_at = at.text();
}

void check_below(const Json& schema, const Scope& scope, const Path& at, Walk& walk) {
  const RuleCosts here = walk.costs;
  const bool resource = scope.root || schema["x-kubernetes-embedded-resource"].is_true();
  each_below(schema, at, [&](const Json& below, const Path& where) {
    Scope inner = scope;
    inner.root = false;
    if (&below == &schema["additionalProperties"] && scope.in_metadata)
      inner.no_defaults = "inside additionalProperties applying to object metadata";
    for (const char* name : {"metadata", "kind", "apiVersion"}) {
      if (!resource || &below != schema["properties"].find(name)) continue;
      inner.in_metadata = true;
      if (scope.root) inner.no_defaults = str_cat("in top-level ", name);
    }
    step_into(schema, below, at, walk.costs);
    check_openapi(below, inner, where, walk);
    walk.costs.cardinality = here.cardinality;
    walk.costs.bounded = here.bounded;
    walk.costs.correlatable = here.correlatable;
    walk.costs.uncorrelated_at = here.uncorrelated_at;
  });
}

void check_openapi(const Json& schema, const Scope& scope, const Path& at, Walk& walk) {
  const size_t before = walk.schema.size();
  check_supported(schema, scope, at, walk.schema);
  check_below(schema, scope, at, walk);
  Scope nested = scope;
  nested.root = nested.rules = false;
  each_nested(schema, at, [&](const Json& inner, const Path& where) { check_openapi(inner, nested, where, walk); });
  for (const char* word : {"definitions", "dependencies"})
    for (const Json::Member& member : schema[word].members()) {
      const Path where = at.child_key(word, member.key);
      if (member.value.is_object()) check_openapi(member.value, nested, where, walk);
    }
  size_t index = 0;
  for (const Json& item : schema["items"].items()) check_openapi(item, nested, at.child("items", index++), walk);
  check_extensions(schema, at, walk.schema);
  check_rule_forms(schema, at, walk.schema);
  if (scope.rules && walk.schema.size() == before) check_schema_rules(schema, scope.root, at, walk.costs, walk.rules);
}

void check_defaults(const Json& schema, const Path& at, Findings& findings) {
  const Json* value = schema.find("default");
  if (value && !value->is_null()) {
    const Path here = at.child("default");
    Json pruned = *value;
    std::vector<std::string> unknown;
    CustomSchema(schema, false).prune(pruned, unknown);
    if (!unknown.empty()) findings.invalid(here, Shown::raw(api::go_syntax(*value)), "must not have unknown fields");
    FieldErrors errors;
    check_by_schema(*value, nullptr, schema, "", errors);
    const SchemaRules rules(schema);
    std::vector<std::string> warnings;  // there are none without an old value
    if (errors.empty() && rules.any()) rules.check(*value, nullptr, errors, warnings);
    for (const FieldError& error : errors) {
      const bool whole = error.field == "<nil>" || error.field.empty();
      findings.add_found(whole ? here.text() : str_cat(here.text(), ".", error.field), error.reason, error.detail);
    }
  }
  each_below(schema, at, [&](const Json& below, const Path& where) {
    if (&below != &schema["additionalProperties"]) check_defaults(below, where, findings);
  });
}

void check_costs(const RuleCosts& costs, const Path& at, Findings& findings) {
  constexpr uint64_t kCostMax = 100'000'000;
  if (costs.total <= kCostMax) return;
  for (const auto& [place, cost] : costs.expensive)
    findings.add_found(place, "FieldValueForbidden",
                       "Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema");
  findings.forbidden(at, cost_message("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", costs.total, kCostMax));
}

// With a status of its own, a resource is checked in parts, so its root says little.
void check_root_of_status(const Json& schema, const Path& at, Findings& findings) {
  static constexpr std::string_view kNot[] = {
      "nullable", "default", "enum", "maxProperties", "minProperties", "allOf", "oneOf", "anyOf", "not", "additionalProperties",
      "patternProperties", "dependencies", "additionalItems", "definitions", "x-kubernetes-embedded-resource",
      "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type"};
  constexpr std::string_view kText =
      "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
      "UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the "
      "root of the schema if the status subresource is enabled";
  const auto has = [&](std::string_view name) { return schema.find(name) && !(schema[name].is_bool() && !schema[name].is_true()); };
  const auto refuse = [&] { findings.invalid(at, Shown::raw("apiextensions.JSONSchemaProps{}"), kText); };
  if (has("id") || has("$schema") || has("$ref")) return refuse();
  if (!type_of(schema).empty() && type_of(schema) != "object")
    return findings.invalid(at.child("type"), type_of(schema),
                            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled");
  if (std::any_of(std::begin(kNot), std::end(kNot), has)) refuse();
}

}  // namespace

void check_custom_schema(const Json& schema, bool has_status, const Path& at, Findings& findings) {
  Findings found;
  Walk walk;
  if (has_status) check_root_of_status(schema, at, found);
  if (schema["nullable"].is_true()) found.forbidden(at.child("nullable"), "nullable cannot be true at the root");
  const std::string unreadable = structural_error(schema);
  const size_t before = found.size();
  if (unreadable.empty()) {
    check_structural(schema, at, found);
    if (found.size() == before) check_defaults(schema, at, found);
  }
  Scope scope;
  scope.root = true;
  scope.rules = unreadable.empty() && found.size() == before;
  check_openapi(schema, scope, at, walk);
  found.add(std::move(walk.schema));
  found.add(std::move(walk.rules));
  if (found.empty() && !unreadable.empty()) found.invalid(at, "", unreadable);
  check_costs(walk.costs, at, found);
  findings.add(std::move(found));
}

}  // namespace orrery::server
