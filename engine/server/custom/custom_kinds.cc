#include "engine/server/custom/custom_kinds.h"

#include <algorithm>

#include "engine/api/base64.h"
#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/api/semantic.h"
#include "engine/base/hash.h"

namespace orrery::server {
namespace {

using apiextensionsv1::CustomResourceDefinition;
using apiextensionsv1::CustomResourceDefinitionVersion;

constexpr std::string_view kVerbs = "delete deletecollection get list patch create update watch";

bool condition_true(const CustomResourceDefinition& definition, std::string_view type) {
  for (const auto& condition : definition.status->conditions)
    if (condition.type == type) return condition.status == "True";
  return false;
}

std::string words(const List<Str>& list) {
  std::string out;
  for (const Str& word : list) out += (out.empty() ? "" : " ") + word.str();
  return out;
}

/// What a version's name says: v, major, alpha or beta, minor.
struct ParsedVersion {
  int stage = -1;  // 2: stable, 1: beta, 0: alpha, -1: another name
  int64_t major = 0, minor = 0;
};

int64_t read_number(std::string_view& text) {
  int64_t value = 0;
  size_t digits = 0;
  while (digits < text.size() && digits < 18 && text[digits] >= '0' && text[digits] <= '9')
    value = value * 10 + (text[digits++] - '0');
  text.remove_prefix(digits);
  return digits == 0 ? -1 : value;
}

ParsedVersion parse_version_name(std::string_view text) {
  ParsedVersion out;
  if (!text.starts_with('v')) return out;
  text.remove_prefix(1);
  out.major = read_number(text);
  if (out.major < 1) return out;
  if (text.empty()) {
    out.stage = 2;
    return out;
  }
  const int stage = text.starts_with("alpha") ? 0 : text.starts_with("beta") ? 1 : -1;
  if (stage < 0) return out;
  text.remove_prefix(stage == 0 ? 5 : 4);
  out.minor = read_number(text);
  if (out.minor >= 1 && text.empty()) out.stage = stage;
  return out;
}

std::string_view keep(CustomVersion& version, std::string text) { return version.texts.emplace_back(std::move(text)); }

void fill_kind(CustomVersion& out, const CustomResource& resource, const CustomResourceDefinitionVersion& version, uint16_t id) {
  const auto& spec = *resource.spec;
  const auto& names = resource.names;
  out.id = id;
  out.group = keep(out, spec.group.str());
  out.version = keep(out, version.name.str());
  out.kind = keep(out, names.kind.str());
  out.api_version = keep(out, str_cat(spec.group, "/", version.name));
  out.plural = keep(out, names.plural.str());
  out.singular = keep(out, names.singular.str());
  out.namespaced = spec.scope == "Namespaced";
  out.short_names = keep(out, words(names.short_names));
  out.categories = keep(out, words(names.categories));
  out.verbs = kVerbs;
  out.subresources = keep(out, str_cat(out.has_status ? "status" : "", out.has_scale ? " scale" : ""));
  out.storage_prefix = keep(out, str_cat("/registry/", spec.group, "/", names.plural, "/"));
  out.type_desc = api::custom_type_desc(out);
  out.type = &out.type_desc;
}

void fill_subresources(CustomVersion& out, const CustomResourceDefinitionVersion& version) {
  if (!version.subresources) return;
  out.has_status = static_cast<bool>(version.subresources->status);
  if (const auto& scale = version.subresources->scale) {
    out.has_scale = true;
    out.spec_replicas_path = scale->spec_replicas_path.str();
    out.status_replicas_path = scale->status_replicas_path.str();
    if (scale->label_selector_path) out.label_selector_path = (*scale->label_selector_path).str();
  }
}

std::unique_ptr<CustomVersion> make_version(const CustomResource& resource, const CustomResourceDefinitionVersion& version,
                                            uint16_t id) {
  auto out = std::make_unique<CustomVersion>();
  out->resource = &resource;
  out->served = version.served;
  out->list_kind = resource.names.list_kind.str();
  fill_subresources(*out, version);
  fill_kind(*out, resource, version, id);
  for (const auto& field : version.selectable_fields) out->selectable_fields.push_back(field.json_path.str());
  if (version.deprecated)
    out->deprecation_warning = version.deprecation_warning
                                   ? (*version.deprecation_warning).str()
                                   : str_cat(out->api_version, " ", out->kind, " is deprecated");
  const api::Json json = api::to_json(CustomResourceDefinitionVersion::descriptor(), &version);
  out->schema = CustomSchema(json["schema"]["openAPIV3Schema"], resource.spec->preserve_unknown_fields);
  out->rules = SchemaRules(out->schema.root());
  out->merge_type = managed::custom_type(out->schema.root());
  if (auto table = CustomTable::make(json["additionalPrinterColumns"]); table.is_ok()) out->table = std::move(*table);
  return out;
}

// Source: Kubernetes v1.32 apiserver/pkg/endpoints/discovery/storageversionhash.go, which hashes the
// same text by another function.
std::string storage_hash(const api::KindDesc& kind) {
  const uint64_t hash = hash_bytes(str_cat(kind.group, "/", kind.version, "/", kind.kind));
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(hash >> shift & 0xff);
  return api::base64_encode(bytes);
}

std::vector<std::string> texts_of(const List<Str>& list) {
  std::vector<std::string> out;
  for (const Str& text : list) out.push_back(text.str());
  return out;
}

ServedResource discovered(const CustomVersion& version) {
  const CustomResource& resource = *version.resource;
  ServedResource out{std::string(version.group), std::string(version.version), std::string(version.kind),
                     std::string(version.plural), std::string(version.singular), version.namespaced,
                     texts_of(resource.names.short_names), {}, texts_of(resource.names.categories),
                     storage_hash(*resource.storage), {}};
  out.verbs = {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
  if (resource.terminating) out.verbs = {"delete", "deletecollection", "get", "list", "watch"};
  out.schema = version.schema.root();
  out.selectable_fields = version.selectable_fields;
  const std::vector<std::string> verbs = {"get", "patch", "update"};
  if (version.has_status) out.subresources.push_back({"status", std::string(version.kind), "", "", verbs});
  if (version.has_scale) out.subresources.push_back({"scale", "Scale", "autoscaling", "v1", verbs});
  return out;
}

}  // namespace

bool version_before(std::string_view a, std::string_view b) {
  const ParsedVersion x = parse_version_name(a), y = parse_version_name(b);
  if (x.stage != y.stage) return x.stage > y.stage;
  if (x.stage < 0) return a < b;
  return std::pair(x.major, x.minor) > std::pair(y.major, y.minor);
}

const CustomVersion& custom_version(const api::KindDesc& kind) {
  CHECK(api::is_custom(kind)) << kind.kind << " is built in";
  return static_cast<const CustomVersion&>(kind);
}

bool CustomKinds::set(const CustomResourceDefinition& definition) {
  const Str& name = definition.metadata->name;
  const auto known = current_.find(name);
  if (!condition_true(definition, "Established")) {
    if (known == current_.end()) return false;
    current_.erase(known);
    return true;
  }
  const bool terminating = condition_true(definition, "Terminating") || definition.metadata->deletion_timestamp;
  if (known != current_.end()) {
    const CustomResource& old = *known->second;
    if (old.terminating == terminating && old.uid == definition.metadata->uid &&
        api::semantic_equal(*old.spec, *definition.spec) && api::semantic_equal(old.names, definition.status->accepted_names))
      return false;
  }
  auto resource = std::make_shared<CustomResource>();
  resource->definition = name;
  resource->uid = definition.metadata->uid;
  resource->spec = definition.spec;
  resource->names = definition.status->accepted_names;
  resource->terminating = terminating;
  const auto id = ids_.emplace(name, static_cast<uint16_t>(id_end())).first->second;
  for (const auto& version : definition.spec->versions) {
    resource->versions.push_back(make_version(*resource, version, id));
    if (version.storage) resource->storage = resource->versions.back().get();
  }
  if (!resource->storage) return false;
  std::stable_sort(resource->versions.begin(), resource->versions.end(),
                   [](const auto& a, const auto& b) { return version_before(a->version, b->version); });
  made_.push_back(resource);
  current_[name] = std::move(resource);
  return true;
}

void CustomKinds::remove(const Str& definition) { current_.erase(definition); }

const CustomResource* CustomKinds::find_definition(const Str& name) const {
  const auto it = current_.find(name);
  return it == current_.end() ? nullptr : it->second.get();
}

const api::KindDesc* CustomKinds::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const CustomResource* resource = find_definition(Str(str_cat(plural, ".", group)));
  if (!resource) return nullptr;
  for (const auto& candidate : resource->versions)
    if (candidate->version == version && candidate->served) return candidate.get();
  return nullptr;
}

const api::KindDesc* CustomKinds::find_kind(std::string_view api_version, std::string_view kind) const {
  for (const auto& [name, resource] : current_)
    for (const auto& candidate : resource->versions)
      if (candidate->served && candidate->api_version == api_version && candidate->kind == kind) return candidate.get();
  return nullptr;
}

const api::KindDesc* CustomKinds::kind_of_key(std::string_view key) const {
  constexpr std::string_view kRegistry = "/registry/";
  if (!key.starts_with(kRegistry)) return nullptr;
  key.remove_prefix(kRegistry.size());
  const size_t slash = key.find('/');
  const size_t second = slash == key.npos ? key.npos : key.find('/', slash + 1);
  if (second == key.npos) return nullptr;
  const CustomResource* resource = find_definition(Str(str_cat(key.substr(slash + 1, second - slash - 1), ".", key.substr(0, slash))));
  return resource ? resource->storage : nullptr;
}

std::vector<ServedResource> CustomKinds::served() const {
  std::vector<const CustomVersion*> versions;
  for (const auto& [name, resource] : current_)
    for (const auto& version : resource->versions)
      if (version->served) versions.push_back(version.get());
  std::stable_sort(versions.begin(), versions.end(), [](const CustomVersion* a, const CustomVersion* b) {
    if (a->group != b->group) return a->group < b->group;
    if (a->version != b->version) return version_before(a->version, b->version);
    return a->plural < b->plural;
  });
  std::vector<ServedResource> out;
  for (const CustomVersion* version : versions) out.push_back(discovered(*version));
  return out;
}

}  // namespace orrery::server
