#include "engine/server/custom/custom_managers.h"

#include "engine/api/codec_json.h"
#include "engine/server/custom/custom_kinds.h"

namespace orrery::server {
namespace {

using api::Json;

Json tree_of(const api::Object& object, const api::KindDesc& kind) {
  if (!object) return Json();
  Json tree = api::to_json(object);
  tree.set("apiVersion", kind.api_version);
  tree.set("kind", kind.kind);
  return tree;
}

managed::CustomKind custom_kind(const api::KindDesc& kind, const managed::FieldWrite& write) {
  const CustomVersion& version = custom_version(kind);
  const CustomResource& resource = *version.resource;
  const auto type_in = [&resource](std::string_view api_version) -> const managed::CustomType* {
    for (const auto& other : resource.versions)
      if (other->api_version == api_version) return &other->merge_type;
    return nullptr;
  };
  const auto convert = [&kind, &write](const Json& tree, std::string_view api_version) -> std::optional<Json> {
    api::Object object = api::Object::make(*kind.type);
    if (!write.convert || !api::from_json(tree, *kind.type, object.mut_data()).is_ok()) return std::nullopt;
    const auto converted = write.convert(object, api_version);
    return converted.is_ok() ? std::optional<Json>(tree_of(*converted, *converted->kind())) : std::nullopt;
  };
  return {kind.group, kind.version, kind.kind, &version.merge_type, version.has_status, type_in, convert};
}

}  // namespace

void track_custom_managers(const api::Object& live, api::Object& fresh, const api::KindDesc& kind,
                           const managed::FieldWrite& write) {
  Json tree = tree_of(fresh, kind);
  managed::update_managed_fields(tree_of(live, kind), tree, custom_kind(kind, write), write);
  Json part = Json::object();
  if (const Json* entries = tree["metadata"].find("managedFields")) part.set("managedFields", *entries);
  metav1::ObjectMeta holder;
  const Status status = api::from_json(part, metav1::ObjectMeta::descriptor(), &holder);
  CHECK(status.is_ok()) << status.message();
  fresh.mut_meta().managed_fields = holder.managed_fields;
}

ApiResponse apply_custom(const api::Object& live, const api::KindDesc& kind, const Json& config, bool force,
                         const managed::FieldWrite& write) {
  ApiResponse response;
  const auto no_defaults = [](Json&) {};
  auto applied = managed::apply(tree_of(live, kind), custom_kind(kind, write), config, force, write, no_defaults);
  response.status = applied.status;
  response.causes = applied.causes;
  response.unclassified = response.status.code() == Code::kInternal;
  if (!applied.causes.empty()) response.details.mut();  // that name nothing
  if (!response.status.is_ok()) return response;
  response.object = api::Object::make(*kind.type);
  response.status = api::from_json(applied.object, *kind.type, response.object.mut_data());
  if (!response.status.is_ok()) return response;
  default_custom(response.object);
  return response;
}

}  // namespace orrery::server
