#include "engine/server/custom/custom_schema.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/server/custom/custom_kinds.h"

namespace orrery::server {
namespace {

using api::Json;


std::string child(std::string_view at, std::string_view name) {
  return at.empty() ? std::string(name) : str_cat(at, ".", name);
}

// An embedded object's metadata has the fields of ObjectMeta only.
void prune_metadata(Json& metadata, const std::string& at, std::vector<std::string>& unknown) {
  metav1::ObjectMeta meta;
  std::vector<std::string> errors;
  api::DecodeOptions options;
  options.strict = true;
  options.strict_errors = &errors;
  if (!api::from_json(metadata, metav1::ObjectMeta::descriptor(), &meta, options).is_ok()) return;
  for (const std::string& error : errors) {
    const size_t begin = error.find('"') + 1;
    unknown.push_back(child(at, error.substr(begin, error.rfind('"') - begin)));
  }
  Json known = api::to_json(metav1::ObjectMeta::descriptor(), &meta);
  if (!metadata.find("creationTimestamp")) known.erase("creationTimestamp");
  metadata = std::move(known);
}

void prune_value(Json& value, const Json& schema, bool preserving, const std::string& at, std::vector<std::string>& unknown);

void prune_object(Json& value, const Json& schema, bool preserving, const std::string& at, std::vector<std::string>& unknown) {
  const bool embedded = schema["x-kubernetes-embedded-resource"].is_true();
  const Json& properties = schema["properties"];
  const Json& others = schema["additionalProperties"];
  std::vector<std::string> gone;
  for (Json::Member& member : value.members()) {
    const std::string below = child(at, member.key);
    if (embedded && (member.key == "apiVersion" || member.key == "kind")) continue;
    if (embedded && member.key == "metadata") {
      if (member.value.is_object()) prune_metadata(member.value, below, unknown);
    } else if (const Json* property = properties.find(member.key)) {
      prune_value(member.value, *property, false, below, unknown);
    } else if (others.is_object()) {
      prune_value(member.value, others, false, below, unknown);
    } else if (!others.is_true() && !preserving) {
      gone.push_back(member.key.str());
      unknown.push_back(below);
    }
  }
  for (const std::string& key : gone) value.erase(key);
}

void prune_value(Json& value, const Json& schema, bool preserving, const std::string& at, std::vector<std::string>& unknown) {
  preserving = preserving || schema["x-kubernetes-preserve-unknown-fields"].is_true();
  if (value.is_object()) return prune_object(value, schema, preserving, at, unknown);
  if (!value.is_array()) return;
  size_t index = 0;
  for (Json& item : value.items()) prune_value(item, schema["items"], preserving && schema["items"].is_null(), str_cat(at, "[", index++, "]"), unknown);
}

bool keeps_null(const Json& schema) { return schema["nullable"].is_true(); }

void default_value(Json& value, const Json& schema) {
  if (value.is_object()) {
    const Json& properties = schema["properties"];
    for (const Json::Member& property : properties.members()) {
      const Json* fallback = property.value.find("default");
      if (!fallback || fallback->is_null()) continue;
      Json* found = value.find(property.key);
      if (!found || (found->is_null() && !keeps_null(property.value))) value.set(property.key, *fallback);
    }
    for (Json::Member& member : value.members()) {
      if (const Json* property = properties.find(member.key)) {
        default_value(member.value, *property);
      } else if (schema["additionalProperties"].is_object()) {
        const Json& others = schema["additionalProperties"];
        if (member.value.is_null() && !keeps_null(others) && others.find("default")) member.value = others["default"];
        default_value(member.value, others);
      }
    }
  } else if (value.is_array() && schema["items"].is_object()) {
    for (Json& item : value.items()) {
      if (item.is_null() && !keeps_null(schema["items"]) && schema["items"].find("default")) item = schema["items"]["default"];
      default_value(item, schema["items"]);
    }
  }
}

// What is null and may not be goes away.
void drop_nulls(Json& value, const Json& schema) {
  for (Json& item : value.items()) drop_nulls(item, schema["items"]);
  std::vector<std::string> gone;
  for (Json::Member& member : value.members()) {
    const Json* property = schema["properties"].find(member.key);
    if (!property) property = &schema["additionalProperties"];
    if (!property->is_object()) continue;
    if (member.value.is_null() && !keeps_null(*property)) gone.push_back(member.key.str());
    else drop_nulls(member.value, *property);
  }
  for (const std::string& key : gone) value.erase(key);
}

}  // namespace

void CustomSchema::prune(Json& object, std::vector<std::string>& unknown) const {
  const size_t before = unknown.size();
  if (!preserve_ && schema_.is_object()) prune_value(object, schema_, false, "", unknown);
  for (size_t i = before; i < unknown.size(); ++i) unknown[i] = str_cat("unknown field \"", unknown[i], "\"");
  std::sort(unknown.begin() + static_cast<ptrdiff_t>(before), unknown.end());
}

void CustomSchema::default_values(Json& object) const {
  if (schema_.is_object()) default_value(object, schema_);
}

void CustomSchema::drop_nulls(Json& object) const {
  if (schema_.is_object()) server::drop_nulls(object, schema_);
}

namespace {

// Members that every object has, whatever its schema says of them.
void drop_known(Json& object) {
  for (const char* name : {"apiVersion", "kind", "metadata"}) object.erase(name);
}

}  // namespace

void normalize_custom(api::Object& object, std::vector<std::string>& unknown) {
  const CustomVersion& version = custom_version(*object.kind());
  Json rest = api::custom_rest(object);
  version.schema.prune(rest, unknown);
  version.schema.default_values(rest);
  version.schema.drop_nulls(rest);
  drop_known(rest);
  api::set_custom_rest(object, rest);
}

void default_custom(api::Object& object) {
  const Str& named = static_cast<const metav1::TypeMeta*>(object.data())->kind;
  if (!named.empty() && named != object.kind()->kind) return;  // will be found to be no instance
  Json rest = api::custom_rest(object);
  custom_version(*object.kind()).schema.default_values(rest);
  drop_known(rest);
  api::set_custom_rest(object, rest);
}

}  // namespace orrery::server
