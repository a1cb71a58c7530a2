// Definitions of custom resources. Source: Kubernetes v1.32 apiextensions-apiserver
// pkg/apis/apiextensions/validation.
#include <algorithm>
#include <set>

#include "engine/api/codec_json.h"
#include "engine/api/gen/apiextensionsv1.h"
#include "engine/api/names.h"
#include "engine/api/semantic.h"
#include "engine/server/validation/crd_schema.h"
#include "engine/server/validation/crd_structural.h"
#include "engine/server/validation/field_path.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"
#include "engine/server/validation/webhook_client.h"

namespace orrery::server {
namespace {

using api::Json;
using apiextensionsv1::CustomResourceDefinition;
using apiextensionsv1::CustomResourceDefinitionNames;
using apiextensionsv1::CustomResourceDefinitionSpec;
using apiextensionsv1::CustomResourceDefinitionVersion;

constexpr Path kSpec("spec");

// Findings about one text are one finding with all its messages.
void check_text(std::string_view value, const std::vector<std::string>& messages, const Path& at, Findings& findings) {
  if (!messages.empty()) findings.invalid(at, value, api::join(messages, ","));
}

void check_label_text(std::string_view value, const Path& at, Findings& findings) {
  if (!value.empty()) check_text(value, check_dns1035_label(value), at, findings);
}

std::string lower_text(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

void check_mixed_case(std::string_view value, const Path& at, Findings& findings) {
  if (value.empty()) return;
  const auto messages = check_dns1035_label(lower_text(value));
  if (!messages.empty())
    findings.invalid(at, value, str_cat("may have mixed case, but should otherwise match: ", api::join(messages, ",")));
}

void check_names(const CustomResourceDefinitionNames& names, const Path& at, Findings& findings) {
  check_label_text(names.plural, at.child("plural"), findings);
  check_label_text(names.singular, at.child("singular"), findings);
  check_mixed_case(names.kind, at.child("kind"), findings);
  check_mixed_case(names.list_kind, at.child("listKind"), findings);
  size_t index = 0;
  for (const Str& name : names.short_names) check_text(name, check_dns1035_label(name), at.child("shortNames", index++), findings);
  if (!names.kind.empty() && names.kind == names.list_kind)
    findings.invalid(at.child("listKind"), names.list_kind, "kind and listKind may not be the same");
  index = 0;
  for (const Str& name : names.categories) check_text(name, check_dns1035_label(name), at.child("categories", index++), findings);
}

// False: it is not one.
bool check_simple_path(std::string_view path, const Path& at, Findings& findings) {
  if (path.starts_with('.')) return true;
  findings.invalid(at, path, "must be a simple json path starting with .");
  return false;
}

void check_columns(const CustomResourceDefinitionVersion& version, const Path& at, Findings& findings) {
  size_t index = 0;
  for (const auto& column : version.additional_printer_columns) {
    const Path here = at.child("additionalPrinterColumns", index++);
    if (column.name.empty()) findings.required(here.child("name"));
    constexpr std::string_view kTypes = "must be one of boolean,date,integer,number,string";
    if (column.type.empty()) findings.required(here.child("type"), kTypes);
    else if (!is_one_of(column.type, {"integer", "number", "string", "boolean", "date"}))
      findings.invalid(here.child("type"), column.type, kTypes);
    if (!column.format.empty() && !is_one_of(column.format, {"int32", "int64", "float", "double", "byte", "date", "date-time", "password"}))
      findings.invalid(here.child("format"), column.format, "must be one of byte,date,date-time,double,float,int32,int64,password");
    if (column.json_path.empty()) findings.required(here.child("JSONPath"));
    else check_simple_path(column.json_path, here.child("JSONPath"), findings);
  }
}

void check_scale_path(std::string_view path, std::string_view root, const Path& at, Findings& findings) {
  if (path.empty()) return findings.required(at);
  if (check_simple_path(path, at, findings) && !path.starts_with(str_cat(root, ".")))
    findings.invalid(at, path, str_cat("should be a json path under ", root));
}

void check_subresources(const CustomResourceDefinitionVersion& version, const Path& at, Findings& findings) {
  if (!version.subresources || !version.subresources->scale) return;
  const auto& scale = *version.subresources->scale;
  const Path subresources = at.child("subresources");
  const Path here = subresources.child("scale");
  check_scale_path(scale.spec_replicas_path, ".spec", here.child("specReplicasPath"), findings);
  check_scale_path(scale.status_replicas_path, ".status", here.child("statusReplicasPath"), findings);
  if (!scale.label_selector_path || (*scale.label_selector_path).empty()) return;
  const std::string_view selector = *scale.label_selector_path;
  const Path selector_at = here.child("labelSelectorPath");
  if (check_simple_path(selector, selector_at, findings) && !selector.starts_with(".spec.") && !selector.starts_with(".status."))
    findings.invalid(selector_at, selector, "should be a json path under either .spec or .status");
}

// `schemas`: what it is called that must be there.
void check_selectable(const CustomResourceDefinitionVersion& version, const Json& schema, std::string_view schemas, const Path& at,
                      Findings& findings) {
  constexpr size_t kCountMax = 8;
  const Path list = at.child("selectableFields");
  if (version.selectable_fields.empty()) return;
  if (!schema.is_object()) return findings.invalid(list, "", str_cat("selectableFields may only be set when ", schemas));
  if (const std::string wrong = structural_error(schema); !wrong.empty())
    return findings.invalid(at.child("schema.openAPIV3Schema"), "", wrong);
  std::set<std::string> seen;
  size_t index = 0;
  for (const auto& field : version.selectable_fields) {
    const Path entry = list.index(index++);
    const Path here = entry.child("jsonPath");
    const std::string_view path = field.json_path;
    if (path.empty()) {
      findings.required(here);
      continue;
    }
    const SchemaPlace place = find_schema_place(path, schema, false);
    if (!place.error.empty()) {
      findings.invalid(here, path, str_cat("is an invalid path: ", place.error));
      continue;
    }
    if (place.first == "metadata") findings.invalid(here, path, "must not point to fields in metadata");
    if (!is_one_of((*place.schema)["type"].text(), {"string", "boolean", "integer"}))
      findings.invalid(here, path, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.");
    if (!seen.insert(place.path).second) findings.duplicate(here, path);
  }
  if (seen.size() > kCountMax) findings.too_many(list, seen.size(), kCountMax);
}

void check_deprecation(const CustomResourceDefinitionVersion& version, const Path& at, Findings& findings) {
  constexpr size_t kBytesMax = 256;
  const auto& warning = version.deprecation_warning;
  const Path here = at.child("deprecationWarning");
  if (!warning) return;
  if (!version.deprecated) return findings.invalid(here, *warning, "can only be set for deprecated versions");
  if (warning->size() > kBytesMax) findings.invalid(here, *warning, "must be <= 256 characters long");
  if (warning->empty()) findings.invalid(here, *warning, "must not be an empty string");
  for (size_t i = 0; i < warning->size(); ++i) {
    if (static_cast<unsigned char>(warning->view()[i]) >= ' ' && warning->view()[i] != 0x7f) continue;
    findings.invalid(here, *warning, str_cat("must only contain printable UTF-8 characters; non-printable character found at index ", i));
    break;
  }
}

bool has_status(const CustomResourceDefinitionVersion& version) { return version.subresources && version.subresources->status; }

Json schema_of(const CustomResourceDefinitionVersion& version) {
  if (!version.schema) return Json();
  return api::to_json(apiextensionsv1::CustomResourceValidation::descriptor(), &*version.schema)["openAPIV3Schema"];
}

// What all versions have in common is checked once, at the place where it stood before versions were.
struct Shared {
  bool schema = true, columns = true, subresources = true, selectable = true;

  explicit Shared(const CustomResourceDefinitionSpec& spec) {
    for (const auto& version : spec.versions) {
      const auto& first = spec.versions.front();
      CustomResourceDefinitionVersion a, b;
      schema = schema && schema_of(first) == schema_of(version);
      a.additional_printer_columns = first.additional_printer_columns;
      b.additional_printer_columns = version.additional_printer_columns;
      columns = columns && api::semantic_equal(a, b);
      a = b = {};
      a.subresources = first.subresources;
      b.subresources = version.subresources;
      subresources = subresources && api::semantic_equal(a, b);
      a = b = {};
      a.selectable_fields = first.selectable_fields;
      b.selectable_fields = version.selectable_fields;
      selectable = selectable && api::semantic_equal(a, b);
    }
  }
};

void check_versions(const CustomResourceDefinitionSpec& spec, const Shared& shared, Findings& findings) {
  size_t index = 0;
  for (const auto& version : spec.versions) {
    const Path here = kSpec.child("versions", index++);
    check_text(version.name, check_dns1035_label(version.name), here.child("name"), findings);
    check_deprecation(version, here, findings);
    const Json schema = schema_of(version);
    const Path schemas = here.child("schema");
    if (!shared.schema && schema.is_object()) 
      check_custom_schema(schema, has_status(version), schemas.child("openAPIV3Schema"), findings);
    if (!shared.subresources) check_subresources(version, here, findings);
    if (!shared.columns) check_columns(version, here, findings);
    if (!shared.selectable)
      check_selectable(version, shared.schema ? Json() : schema, "version.schema.openAPIV3Schema is not included", here, findings);
  }
}

void check_version_set(const CustomResourceDefinitionSpec& spec, Findings& findings) {
  const Path at = kSpec.child("versions");
  const Shown shown = Shown::raw("[]apiextensions.CustomResourceDefinitionVersion{}");
  std::set<std::string_view> names;
  size_t storage = 0;
  for (const auto& version : spec.versions) {
    names.insert(version.name);
    storage += version.storage;
  }
  if (names.size() != spec.versions.size()) findings.invalid(at, shown, "must contain unique version names");
  if (storage != 1) findings.invalid(at, shown, "must have exactly one version marked as storage version");
  if (!spec.versions.empty() && !spec.versions.front().name.empty())
    check_text(spec.versions.front().name, check_dns1035_label(spec.versions.front().name), kSpec.child("version"), findings);
}

void check_review_versions(const List<Str>& known, const Path& at, Findings& findings) {
  if (known.empty()) return findings.required(at);
  Seen seen;
  for (size_t i = 0; i < known.size(); ++i) {
    if (seen.insert(known[i])) findings.invalid(at.index(i), known[i], check_dns1035_label(known[i]));
    else findings.invalid(at.index(i), known[i], "duplicate version");
  }
  if (!seen.has("v1") && !seen.has("v1beta1")) findings.invalid(at, Shown::list(known), "must include at least one of v1, v1beta1");
}

void check_conversion_client(const apiextensionsv1::WebhookClientConfig& client, const Path& at, Findings& findings) {
  if (client.url.has_value() == static_cast<bool>(client.service)) findings.required(at, "exactly one of url or service is required");
  else if (client.url) check_webhook_url(*client.url, at.child("url"), findings);
  else check_webhook_service(*client.service, at.child("service"), findings);
}

void check_conversion(const CustomResourceDefinitionSpec& spec, Findings& findings) {
  if (!spec.conversion) return;
  constexpr std::string_view kOnly = "should not be set when strategy is not set to Webhook";
  const Path at = kSpec.child("conversion");
  const Path client = at.child("webhookClientConfig"), versions = at.child("conversionReviewVersions");
  const Str& strategy = spec.conversion->strategy;
  findings.one_of(strategy, at.child("strategy"), {"None", "Webhook"});
  const auto& webhook = spec.conversion->webhook;
  if (strategy != "Webhook") {
    if (webhook && webhook->client_config) findings.forbidden(client, kOnly);
    if (webhook && !webhook->conversion_review_versions.empty()) findings.forbidden(versions, kOnly);
    return;
  }
  if (webhook && webhook->client_config) check_conversion_client(*webhook->client_config, client, findings);
  else findings.required(client, "required when strategy is set to Webhook");
  check_review_versions(webhook ? webhook->conversion_review_versions : List<Str>(), versions, findings);
}

bool has_default(const Json& schema) {
  if (schema.find("default")) return true;
  const auto below = [](const Json& inner) { return inner.is_object() && has_default(inner); };
  for (const Json::Member& property : schema["properties"].members())
    if (below(property.value)) return true;
  return below(schema["items"]) || below(schema["additionalProperties"]);
}

void check_group_and_scope(const CustomResourceDefinitionSpec& spec, Findings& findings) {
  if (spec.group.empty()) findings.required(kSpec.child("group"));
  else if (const auto wrong = name_is_subdomain(spec.group, false); !wrong.empty())
    check_text(spec.group, wrong, kSpec.child("group"), findings);
  else if (!contains(spec.group, ".")) findings.invalid(kSpec.child("group"), spec.group, "should be a domain with at least one dot");
  if (spec.scope.empty()) findings.required(kSpec.child("scope"));
  else if (spec.scope != "Cluster" && spec.scope != "Namespaced")
    findings.not_supported(kSpec.child("scope"), spec.scope, {"Cluster", "Namespaced"});
}

void check_spec(const CustomResourceDefinitionSpec& spec, Findings& findings) {
  check_group_and_scope(spec, findings);
  for (size_t i = 0; i < spec.versions.size(); ++i) {
    const Path version = kSpec.child("versions", i);
    const Path schema = version.child("schema");
    if (!spec.versions[i].schema || !spec.versions[i].schema->open_apiv3_schema)
      findings.required(schema.child("openAPIV3Schema"), "schemas are required");
  }
  if (spec.preserve_unknown_fields && std::any_of(spec.versions.begin(), spec.versions.end(), [](const auto& v) { return has_default(schema_of(v)); }))
    findings.invalid(kSpec.child("preserveUnknownFields"), true, "must be false in order to use defaults in the schema");
  const Shared shared(spec);
  check_versions(spec, shared, findings);
  check_version_set(spec, findings);
  const Path names = kSpec.child("names");
  if (spec.names.plural.empty()) findings.required(names.child("plural"));
  if (spec.names.singular.empty()) findings.required(names.child("singular"));
  if (spec.names.kind.empty()) findings.required(names.child("kind"));
  if (spec.names.list_kind.empty()) findings.required(names.child("listKind"));
  check_names(spec.names, names, findings);
  if (!spec.versions.empty()) {
    const auto& first = spec.versions.front();
    const Json schema = schema_of(first);
    const Path validation = kSpec.child("validation");
    const bool any_status = std::any_of(spec.versions.begin(), spec.versions.end(), has_status);
    if (shared.schema && schema.is_object()) check_custom_schema(schema, any_status, validation.child("openAPIV3Schema"), findings);
    if (shared.subresources) check_subresources(first, kSpec, findings);
    if (shared.columns) check_columns(first, kSpec, findings);
    if (shared.selectable)
      check_selectable(first, shared.schema ? schema : Json(), "validations.schema is included", kSpec, findings);
  }
  if (spec.preserve_unknown_fields && spec.conversion && spec.conversion->strategy != "None")
    findings.invalid(kSpec.child("conversion.strategy"), spec.conversion->strategy, "must be None if spec.preserveUnknownFields is true");
  check_conversion(spec, findings);
}

void check_stored_versions(const CustomResourceDefinition& definition, Findings& findings) {
  constexpr Path kStored("status.storedVersions");
  const auto& stored = definition.status->stored_versions;
  const auto& versions = definition.spec->versions;
  const Shown shown = stored.empty() ? Shown::raw("[]string(nil)") : Shown::list(stored);
  if (stored.empty()) return findings.invalid(kStored, shown, "must have at least one stored version");
  std::set<std::string_view> unknown(stored.begin(), stored.end());
  for (const auto& version : versions)
    if (unknown.erase(version.name) == 0 && version.storage)
      findings.invalid(kStored, shown, str_cat("must have the storage version ", version.name));
  for (size_t i = 0; i < stored.size(); ++i)
    if (unknown.erase(stored[i]) > 0) findings.invalid(kStored.index(i), stored[i], "must appear in spec.versions");
}

bool is_protected(std::string_view group) {
  return group == "k8s.io" || group == "kubernetes.io" || group.ends_with(".k8s.io") || group.ends_with(".kubernetes.io");
}

void check_approval(const CustomResourceDefinition& definition, Findings& findings) {
  constexpr Path kApproval("metadata.annotations");
  constexpr std::string_view kName = "api-approved.kubernetes.io", kWhere = "https://github.com/kubernetes/enhancements/pull/1111";
  if (!is_protected(definition.spec->group)) return;
  const Str* value = definition.metadata->annotations.find(kName);
  if (!value || value->empty())
    findings.required(kApproval.key(kName), str_cat("protected groups must have approval annotation \"", kName, "\", see ", kWhere));
  else if (!value->view().starts_with("https://") && !value->view().starts_with("unapproved"))
    findings.invalid(kApproval.key(kName), *value,
                     "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a reason starting with "
                     "\"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111");
}

void check_name(const CustomResourceDefinition& definition, Findings& findings) {
  check_object_meta(*definition.metadata, false, name_is_path_segment, findings, false);
  const Str& name = definition.metadata->name;
  if (!name.empty() && name.view() != str_cat(definition.spec->names.plural, ".", definition.spec->group))
    findings.invalid(Path("metadata.name"), name, "must be spec.names.plural+\".\"+spec.group");
}

void check_create(const CustomResourceDefinition& definition, Findings& findings) {
  check_name(definition, findings);
  check_spec(*definition.spec, findings);
  check_stored_versions(definition, findings);
  check_approval(definition, findings);
  if (definition.spec->preserve_unknown_fields)
    findings.invalid(kSpec.child("preserveUnknownFields"), true,
                     "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
}

void check_update(const CustomResourceDefinition& definition, const CustomResourceDefinition& old, Findings& findings) {
  const auto &spec = *definition.spec, &before = *old.spec;
  check_object_meta_update(*definition.metadata, *old.metadata, findings, false);
  check_spec(spec, findings);
  const bool established = std::any_of(old.status->conditions.begin(), old.status->conditions.end(), [](const auto& condition) {
    return condition.type == "Established" && condition.status == "True";
  });
  if (established) {
    check_immutable(spec.scope, before.scope, kSpec.child("scope"), spec.scope, findings);
    const Path names = kSpec.child("names");
    check_immutable(spec.names.kind, before.names.kind, names.child("kind"), spec.names.kind, findings);
  }
  check_immutable(spec.group, before.group, kSpec.child("group"), spec.group, findings);
  const Path plural = kSpec.child("names");
  check_immutable(spec.names.plural, before.names.plural, plural.child("plural"), spec.names.plural, findings);
  check_stored_versions(definition, findings);
  if (definition.metadata->annotations != old.metadata->annotations) check_approval(definition, findings);
}

void check_status(const CustomResourceDefinition& definition, const CustomResourceDefinition&, Findings& findings) {
  check_stored_versions(definition, findings);
}

}  // namespace

std::span<const CheckRow> definition_checks() {
  static constexpr CheckRow kRows[] = {check_row<CustomResourceDefinition, check_create, check_update, check_status>()};
  return kRows;
}

}  // namespace orrery::server
