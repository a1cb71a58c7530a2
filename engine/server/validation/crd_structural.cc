#include "engine/server/validation/crd_structural.h"

#include <algorithm>

#include "engine/api/regex.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

using api::Json;

enum class Level : uint8_t { kRoot, kField, kItem };

std::string_view type_of(const Json& schema) { return schema["type"].text(); }
bool is_set(const Json& schema, std::string_view name) { return schema[name].is_true(); }

std::string unsupported_field(const Json& schema) {
  for (const char* name : {"id", "$schema", "$ref"})
    if (!schema[name].text().empty()) return std::string(name[0] == '$' && name[1] == 's' ? "schema" : name);
  if (schema["patternProperties"].size() > 0) return "patternProperties";
  if (schema["dependencies"].size() > 0) return "dependencies";
  if (schema.find("additionalItems")) return "additionalItems";
  return schema["definitions"].size() > 0 ? "definitions" : "";
}

// Integers or strings may be told by types after all.
bool is_int_or_string(const Json& words) {
  if (words.size() != 2) return false;
  const Json &first = words[size_t{0}], &second = words[size_t{1}];
  return first.size() == 1 && type_of(first) == "integer" && second.size() == 1 && type_of(second) == "string";
}

class Structure {
 public:
  explicit Structure(Findings& findings) : findings_(findings) {}

  void check(const Json& schema, Level level, const Path& at) {
    const std::string_view type = type_of(schema);
    const Json& items = schema["items"];
    if (type == "array" && !items.is_object()) findings_.required(at.child("items"), "must be specified");
    if (items.is_object()) check(items, Level::kItem, at.child("items"));
    for (const Json::Member& property : schema["properties"].members()) {
      const Path below = at.child_key("properties", property.key);
      check(property.value, Level::kField, below);
    }
    if (const Json* others = schema.find("additionalProperties")) {
      const Path below = at.child("additionalProperties");
      if (level == Level::kRoot) findings_.forbidden(below, "must not be used at the root");
      if (others->is_object()) check(*others, Level::kField, below);
      if (is_set(schema, kEmbedded)) findings_.forbidden(below, "must not be used if x-kubernetes-embedded-resource is set");
    }
    check_extensions(schema, at);
    const Json& all = schema["allOf"];
    check_words(schema, is_int_or_string(schema["anyOf"]), all.size() > 0 && is_int_or_string(all.items().front()["anyOf"]), at);
    check_type(schema, level, at);
    check_resource(schema, level, at);
  }

 private:
  static constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource", kMixed = "x-kubernetes-int-or-string",
                                    kOpen = "x-kubernetes-preserve-unknown-fields";

  void check_extensions(const Json& schema, const Path& at) {
    constexpr std::string_view kText = "must be false if x-kubernetes-int-or-string is true";
    if (!is_set(schema, kMixed)) return;
    if (is_set(schema, kOpen)) findings_.invalid(at.child(kOpen), true, kText);
    if (is_set(schema, kEmbedded)) findings_.invalid(at.child(kEmbedded), true, kText);
  }

  void check_type(const Json& schema, Level level, const Path& at) {
    const std::string_view type = type_of(schema);
    const Path here = at.child("type");
    constexpr std::string_view kObject = "must be object if x-kubernetes-embedded-resource is true";
    if (is_set(schema, kEmbedded) && type != "object") {
      if (type.empty()) findings_.required(here, kObject);
      else findings_.invalid(here, type, kObject);
    } else if (type.empty() && !is_set(schema, kMixed) && !is_set(schema, kOpen)) {
      findings_.required(here, level == Level::kRoot   ? "must not be empty at the root"
                               : level == Level::kItem ? "must not be empty for specified array items"
                                                       : "must not be empty for specified object fields");
    }
    if (level == Level::kRoot && !type.empty() && type != "object") findings_.invalid(here, type, "must be object at the root");
  }

  // A resource, at the root or embedded.
  void check_resource(const Json& schema, Level level, const Path& at) {
    const bool resource = level == Level::kRoot || is_set(schema, kEmbedded);
    const Json& properties = schema["properties"];
    for (const char* name : {"kind", "apiVersion"}) {
      const Json* property = properties.find(name);
      const Path here = at.child_key("properties", name);
      if (property && resource && type_of(*property) != "string") findings_.invalid(here.child("type"), type_of(*property), "must be string");
    }
    if (const Json* metadata = properties.find("metadata")) {
      const Path here = at.child_key("properties", "metadata");
      if (resource && type_of(*metadata) != "object") findings_.invalid(here.child("type"), type_of(*metadata), "must be object");
      if (level == Level::kRoot && !only_names(*metadata))
        findings_.forbidden(here, "must not specify anything other than name and generateName, but metadata is implicitly specified");
    }
    if (is_set(schema, kEmbedded) && !is_set(schema, kOpen) && properties.size() == 0)
      findings_.required(at.child("properties"),
                         "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
  }

  static bool only_names(const Json& metadata) {
    for (const Json::Member& member : metadata.members()) {
      if (member.key == "type" || member.key == "default") continue;
      if (member.key != "properties") return false;
      for (const Json::Member& property : member.value.members())
        if (property.key != "name" && property.key != "generateName") return false;
    }
    return true;
  }

  // `skip_any`, `skip_first`: the types of an integer or string are told in anyOf, or in that of the first of allOf.
  void check_words(const Json& schema, bool skip_any, bool skip_first, const Path& at) {
    for (const std::string_view word : {"allOf", "anyOf", "oneOf"}) {
      size_t index = 0;
      for (const Json& inner : schema[word].items()) {
        const bool first = word == "allOf" && index == 0;
        const Path here = at.child(word, index++);
        if (word != "anyOf" || !skip_any) check_nested(inner, first && skip_first, here);
      }
    }
    if (schema["not"].is_object()) check_nested(schema["not"], false, at.child("not"));
    const std::string_view pattern = schema["pattern"].text();
    if (pattern.empty()) return;
    if (const auto regex = api::Regex::compile(pattern); !regex.is_ok())
      findings_.invalid(at.child("pattern"), pattern, str_cat("must be a valid regular expression, but isn't: ", regex.status().message()));
  }

  void check_nested(const Json& schema, bool skip_any, const Path& at) {
    check_words(schema, skip_any, false, at);
    if (schema["items"].is_object()) check_nested(schema["items"], false, at.child("items"));
    for (const Json::Member& property : schema["properties"].members()) {
      const Path below = at.child_key("properties", property.key);
      check_nested(property.value, false, below);
    }
    const auto forbid = [&](bool found, std::string_view name, std::string_view wanted) {
      if (found) findings_.forbidden(at.child(name), str_cat("must be ", wanted, " to be structural"));
    };
    forbid(!type_of(schema).empty(), "type", "empty");
    forbid(schema.find("additionalProperties"), "additionalProperties", "undefined");
    forbid(schema.find("default") && !schema["default"].is_null(), "default", "undefined");
    forbid(!schema["title"].text().empty(), "title", "empty");
    forbid(!schema["description"].text().empty(), "description", "empty");
    forbid(is_set(schema, "nullable"), "nullable", "false");
    forbid(is_set(schema, kOpen), kOpen, "false");
    forbid(is_set(schema, kEmbedded), kEmbedded, "false");
    forbid(is_set(schema, kMixed), kMixed, "false");
    forbid(schema["x-kubernetes-list-map-keys"].size() > 0, "x-kubernetes-list-map-keys", "empty");
    forbid(schema.find("x-kubernetes-list-type"), "x-kubernetes-list-type", "undefined");
    forbid(schema.find("x-kubernetes-map-type"), "x-kubernetes-map-type", "undefined");
    forbid(schema["x-kubernetes-validations"].size() > 0, "x-kubernetes-validations", "empty");
    if (schema["properties"].find("metadata"))
      findings_.forbidden(at.child_key("properties", "metadata"), "must not be specified in a nested context");
  }

  Findings& findings_;
};

void check_complete(const Json& nested, const Json* schema, const Path& schema_at, const Path& at, Findings& findings);

// What a logical word says about a place must have a place in the structure.
void check_complete_at(const Json& nested, const Json* schema, const Path& schema_at, const Path& at, Findings& findings) {
  if (!schema) return findings.required(schema_at, str_cat("because it is defined in ", at.text()));
  check_complete(nested, schema, schema_at, at, findings);
  if (nested["items"].is_object()) {
    const Json& items = (*schema)["items"];
    const Path place = schema_at.child("items"), below = at.child("items");
    check_complete_at(nested["items"], items.is_object() ? &items : nullptr, place, below, findings);
  }
  for (const Json::Member& property : nested["properties"].members()) {
    const Path place = schema_at.child_key("properties", property.key), below = at.child_key("properties", property.key);
    check_complete_at(property.value, (*schema)["properties"].find(property.key), place, below, findings);
  }
}

void check_complete(const Json& nested, const Json* schema, const Path& schema_at, const Path& at, Findings& findings) {
  each_nested(nested, at, [&](const Json& inner, const Path& where) { check_complete_at(inner, schema, schema_at, where, findings); });
}

}  // namespace

std::string structural_error(const Json& schema) {
  if (const std::string field = unsupported_field(schema); !field.empty()) return str_cat("OpenAPIV3Schema '", field, "' is not supported");
  std::string error;
  const auto look = [&](const Json& below) {
    if (error.empty() && below.is_object()) error = structural_error(below);
  };
  each_nested(schema, Path(""), [&](const Json& inner, const Path&) { look(inner); });
  if (!error.empty()) return error;
  if (const Json* open = schema.find("x-kubernetes-preserve-unknown-fields"); open && !open->is_true())
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  if (schema["items"].size() > 0 && schema["items"].is_array()) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  look(schema["items"]);
  for (const Json::Member& property : schema["properties"].members()) look(property.value);
  look(schema["additionalProperties"]);
  return error;
}

void check_structural(const Json& schema, const Path& at, Findings& findings) {
  Findings found;
  Structure(found).check(schema, Level::kRoot, at);
  check_complete(schema, &schema, at, at, found);
  FieldErrors errors = found.take();
  std::sort(errors.begin(), errors.end(), [](const FieldError& a, const FieldError& b) {
    return str_cat(a.field, ": ", a.detail) < str_cat(b.field, ": ", b.detail);
  });
  for (FieldError& error : errors) findings.add_found(std::move(error.field), error.reason, std::move(error.detail));
}

}  // namespace orrery::server
