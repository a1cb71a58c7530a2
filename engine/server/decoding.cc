#include "engine/server/decoding.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/custom_object.h"
#include "engine/api/names.h"
#include "engine/server/custom/custom_schema.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

constexpr std::string_view kYamlErrors = "yaml: unmarshal errors:\n";
constexpr std::string_view kConvertedYamlErrors = "error converting YAML to JSON: yaml: unmarshal errors:\n";

std::string_view trimmed(std::string_view text) {
  const size_t start = text.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

bool has_floats(const api::Json& value) {
  return value.type() == api::Json::Type::kDouble || std::any_of(value.items().begin(), value.items().end(), has_floats) ||
         std::any_of(value.members().begin(), value.members().end(), [](const auto& member) { return has_floats(member.value); });
}

}  // namespace

// Few documents have such numbers, so they are looked for in what has been parsed; where members stand
// there twice the tree does not have them all.
Result<api::Json> parse_json(std::string_view text, api::NumberTexts& numbers, std::vector<std::string>* duplicates) {
  auto json = api::Json::parse(text, duplicates);
  if (json.is_ok() && !has_floats(*json) && (!duplicates || duplicates->empty())) return json;
  if (duplicates) duplicates->clear();
  return numbers.parse(text, duplicates);
}

TypeNames type_names(const api::Json& document, const api::KindDesc& kind) {
  TypeNames names;
  if (document["apiVersion"].is_string()) names.api_version = document["apiVersion"].as_string().str();
  if (document["kind"].is_string()) names.kind = document["kind"].as_string().str();
  if (names.kind.empty()) names.kind = kind.kind;
  if (names.api_version.empty()) names.api_version = kind.api_version;
  return names;
}

std::string_view internal_package(const api::KindDesc& kind) {
  const std::string_view group = storage_kind(kind).group;
  return group.empty() ? "core" : group.substr(0, group.find('.'));
}

std::string unknown_conversion(const api::KindDesc& from, const api::KindDesc& to) {
  return str_cat("converting (", from.type->go_type, ") to (", internal_package(to), ".", to.kind, "): unknown conversion");
}

Result<api::Object> decode_document(const api::Json& document, const api::NumberTexts& numbers, std::string_view text,
                                    const TypeNames& names, const api::KindDesc& kind, FieldValidation validation,
                                    std::vector<std::string>& strict) {
  const bool custom = api::is_custom(kind);
  const bool own = custom || (names.kind == kind.kind && names.api_version == kind.api_version);
  const api::KindDesc* found = own ? &kind : api::find_kind(names.api_version, names.kind);
  if (!found)
    return bad_request(str_cat("no kind ", api::quoted(names.kind), " is registered for version ", api::quoted(names.api_version),
                               " in scheme \"pkg/api/legacyscheme/scheme.go:30\""));
  api::DecodeOptions options;
  options.strict = validation != FieldValidation::kIgnore;
  options.strict_errors = &strict;
  options.wording = api::DecodeWording::kGoJson;
  api::Object object = api::Object::make(*found->type);
  ORRERY_TRY(text.empty()      ? api::from_json(document, *found->type, object.mut_data(), options, numbers)
             : numbers.empty() ? api::decode_json_into(text, *found->type, object.mut_data(), options)
                               : api::decode_numbered_json_into(numbers, *found->type, object.mut_data(), options));
  if (custom && names.kind == kind.kind) {  // another kind has no schema
    std::vector<std::string> unknown;
    normalize_custom(object, unknown);
    if (options.strict) strict.insert(strict.end(), unknown.begin(), unknown.end());
  }
  if (found != &kind && &storage_kind(*found) != &storage_kind(kind)) return bad_request(unknown_conversion(*found, kind));
  return object;
}

std::string yaml_strict_error(const std::vector<std::string>& duplicates) {
  return str_cat(kYamlErrors, "  ", api::join(duplicates, "\n  "));
}

void add_strict_warnings(const std::vector<std::string>& strict, std::vector<Str>& warnings) {
  for (const std::string& error : strict) {
    std::string_view lines = error;
    for (const std::string_view prefix : {kYamlErrors, kConvertedYamlErrors})
      if (lines.starts_with(prefix)) lines.remove_prefix(prefix.size());
    while (true) {
      const size_t end = lines.find('\n');
      warnings.push_back(Str(trimmed(lines.substr(0, end))));
      if (end == std::string_view::npos) break;
      lines.remove_prefix(end + 1);
    }
  }
}

std::string_view go_json_type(const api::Json& value) { return value.is_bool() ? "bool" : value.type_name(); }

}  // namespace orrery::server
