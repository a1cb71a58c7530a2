#include "engine/server/custom/custom_rules.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/custom/custom_scale.h"
#include "engine/server/custom/schema_check.h"
#include "engine/server/custom/schema_rules.h"
#include "engine/server/validation/metadata.h"

namespace orrery::server {
namespace {

using api::Json;

void take_member(Json& to, const Json& from, std::string_view name) {
  const Json* found = from.find(name);
  if (found) to.set(name, *found);
  else to.erase(name);
}

// Members that come from the API machinery, whatever the schema says.
void keep_only(Json& object, std::string_view kept, const Json& others) {
  Json out = others;
  take_member(out, object, kept);
  object = std::move(out);
}

Json tree_of(const api::Object& object) {
  if (!object) return Json();
  Json tree = api::to_json(object);
  tree.set("apiVersion", object.kind()->api_version);
  tree.set("kind", object.kind()->kind);
  return tree;
}

// Findings after which rules cannot be trusted to see a sound object.
bool blocks_rules(const FieldErrors& errors) {
  static constexpr std::string_view kBlocking[] = {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong",
                                                   "FieldValueTooMany", "FieldValueTypeInvalid"};
  return std::any_of(errors.begin(), errors.end(), [](const FieldError& error) {
    return std::find(std::begin(kBlocking), std::end(kBlocking), error.reason.view()) != std::end(kBlocking);
  });
}

// Everything but the metadata; `old` is null for a create.
void check_content(const api::Object& object, const api::Object& old, FieldErrors& errors, std::vector<std::string>& warnings) {
  const CustomVersion& version = custom_version(*object.kind());
  const Json& schema = version.schema.root();
  if (!schema.is_object()) return check_custom_scale(object, errors);
  const Json tree = tree_of(object), before = tree_of(old);
  const Json* ratchet = old ? &before : nullptr;
  check_by_schema(tree, ratchet, schema, "", errors);
  check_custom_scale(object, errors);
  check_embedded(tree, schema, "", errors);
  FieldErrors known;
  if (old) check_unique_items(before, schema, "", known);
  if (known.empty()) check_unique_items(tree, schema, "", errors);
  if (!version.rules.any()) return;
  if (blocks_rules(errors)) {
    errors.push_back(FieldError::invalid("<nil>", "\"null\"",
                                         "some validation rules were not checked because the object was invalid; correct the "
                                         "existing errors to complete validation"));
    return;
  }
  version.rules.check(tree, ratchet, errors, warnings);
}

void add_kind_of_body(const api::Object& object, FieldErrors& errors) {
  const auto& names = *static_cast<const metav1::TypeMeta*>(object.data());
  for (FieldError& error : check_custom_type({}, names.kind, *object.kind())) errors.push_back(std::move(error));
}

Json without(Json object, std::string_view name) {
  object.erase(name);
  return object;
}

}  // namespace

FieldErrors check_custom_type(std::string_view api_version, std::string_view named, const api::KindDesc& kind) {
  FieldErrors errors;
  if (!named.empty() && named != kind.kind)
    errors.push_back(FieldError::invalid("kind", api::quoted(named), str_cat("must be ", kind.kind)));
  if (!api_version.empty() && api_version != kind.api_version)
    errors.push_back(FieldError::invalid("apiVersion", api::quoted(api_version), str_cat("must be ", kind.api_version)));
  return errors;
}

void prepare_custom_create(api::Object& object) {
  if (custom_version(*object.kind()).has_status) {
    Json rest = api::custom_rest(object);
    rest.erase("status");
    api::set_custom_rest(object, rest);
  }
  object.mut_meta().generation = 1;
}

void prepare_custom_update(api::Object& fresh, const api::Object& old, std::string_view subresource) {
  const bool has_status = custom_version(*fresh.kind()).has_status;
  Json rest = api::custom_rest(fresh);
  const Json before = api::custom_rest(old);
  auto& meta = fresh.mut_meta();
  meta.generation = old.meta().generation;
  if (subresource == "status") {
    keep_only(rest, "status", before);
    const auto managed = meta.managed_fields;
    meta = old.meta();
    meta.managed_fields = managed;
  } else if (has_status) {
    take_member(rest, before, "status");
  }
  const bool changed = has_status ? without(rest, "status") != without(before, "status") : rest != before;
  if (changed && subresource != "status") ++meta.generation;
  api::set_custom_rest(fresh, rest);
}

FieldErrors validate_custom_create(const api::Object& object) {
  Findings findings;
  check_object_meta(object.meta(), object.kind()->namespaced, name_is_subdomain, findings, false);
  FieldErrors errors = findings.take();
  add_kind_of_body(object, errors);
  std::vector<std::string> warnings;  // there are none without an old object
  check_content(object, {}, errors, warnings);
  return errors;
}

FieldErrors validate_custom_update(const api::Object& object, const api::Object& old, std::vector<std::string>& warnings) {
  Findings findings;
  check_object_meta(object.meta(), object.kind()->namespaced, name_is_subdomain, findings, false);
  check_object_meta_update(object.meta(), old.meta(), findings, false);
  FieldErrors errors = findings.take();
  add_kind_of_body(object, errors);
  check_content(object, old, errors, warnings);
  return errors;
}

}  // namespace orrery::server
