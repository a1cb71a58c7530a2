// Custom resources: the same rules on JSON trees.
#include "engine/api/codec_json.h"
#include "engine/server/managed_fields/last_applied.h"
#include "engine/server/managed_fields/request.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using Entries = List<metav1::ManagedFieldsEntry>;

Entries entries_of(const Json& object) {
  metav1::ObjectMeta meta;
  Json part = Json::object();
  if (const Json* managed = object["metadata"].find("managedFields")) part.set("managedFields", *managed);
  return api::from_json(part, metav1::ObjectMeta::descriptor(), &meta).is_ok() ? meta.managed_fields : Entries();
}

void set_entries(Json& object, Entries entries) {
  Json* meta = object.find("metadata");
  if (!meta) meta = &object.set("metadata", Json::object());
  meta->erase("managedFields");
  if (entries.empty()) return;
  metav1::ObjectMeta holder;
  holder.managed_fields = std::move(entries);
  meta->set("managedFields", api::to_json(metav1::ObjectMeta::descriptor(), &holder)["managedFields"]);
}

Json bare(Json object) {
  if (object.is_null()) return Json::object();
  if (Json* meta = object.find("metadata")) meta->erase("managedFields");
  return object;
}

Str version_of(const CustomKind& kind) { return Str(str_cat(kind.group, "/", kind.version)); }

// Other versions have the same members under another apiVersion.
Versions versions_of(const CustomKind& kind) {
  Versions versions;
  versions.current = version_of(kind);
  versions.type = MergeType(*kind.type);
  if (!kind.type_in) return versions;
  versions.type_in = [&kind](std::string_view api_version) -> std::optional<MergeType> {
    const CustomType* type = kind.type_in(api_version);
    return type ? std::optional<MergeType>(MergeType(*type)) : std::nullopt;
  };
  versions.convert = [&kind](const Json& value, std::string_view api_version) -> std::optional<Json> {
    if (kind.convert && value["kind"].is_string()) return kind.convert(value, api_version);
    Json out = value;
    if (out.is_object() && out.find("apiVersion")) out.set("apiVersion", api_version);
    return out;
  };
  return versions;
}

void track(Managers& managers, const Json& live, const Json& fresh, const Manager& writer, const CustomKind& kind,
           FieldSetPool& pool) {
  const Versions versions = versions_of(kind);
  reconcile_all(managers, versions, pool);
  const ComparisonIn changes = [&](std::string_view version) { return versions.compare(live, fresh, version, pool); };
  track_update(managers, writer, changes, ResetFields(kind.has_status, writer.subresource, versions.current), pool);
}

}  // namespace

void update_managed_fields(const Json& live, Json& fresh, const CustomKind& kind, const FieldWrite& write) {
  FieldSetPool pool;
  const Entries live_entries = entries_of(live), fresh_entries = entries_of(fresh);
  Managers managers = managers_of_update(live_entries, fresh_entries, !write.subresource.empty(), pool);
  const Json& uid = live["metadata"]["uid"];
  if (!managers.empty() || !uid.is_string() || uid.as_string().empty())
    track(managers, bare(live), bare(fresh), writer_of(write, version_of(kind), false), kind, pool);
  set_entries(fresh, managers.empty() ? Entries() : encode_managers(std::move(managers)));
}

CustomApplied apply(const Json& live, const CustomKind& kind, const Json& config, bool force, const FieldWrite& write,
                    const std::function<void(Json&)>& set_defaults) {
  CustomApplied response;
  const Versions versions = versions_of(kind);
  response.status = check_config(config, versions.current, kind.kind);
  if (!response.status.is_ok()) return response;
  FieldSetPool pool;
  const Entries entries = entries_of(live);
  auto managers = decode_managers(entries, pool);
  if (!managers.is_ok()) {
    response.status = internal_error("failed to decode managed fields: " + managers.status().message());
    return response;
  }
  const Json before = bare(live);
  if (!live.is_null() && managers->empty()) {
    FieldWrite first = write;
    first.manager = "before-first-apply";
    track(*managers, Json::object(), before, writer_of(first, versions.current, false), kind, pool);
  }
  ApplyOutcome out = apply_as(before, config, *managers, writer_of(write, versions.current, true), force, versions,
                              ResetFields(kind.has_status, write.subresource, versions.current), pool);
  response.status = out.status;
  if (!out.conflicts.empty()) response.status = conflict_status(out.conflicts, &response.causes);
  if (!response.status.is_ok()) return response;
  response.object = out.unchanged ? before : std::move(out.object);
  if (!out.unchanged && set_defaults) set_defaults(response.object);
  set_entries(response.object, out.managers.empty() ? Entries() : encode_managers(std::move(out.managers)));
  Json* annotations = response.object.find("metadata")->find("annotations");
  if (write.manager == "kubectl" && annotations && annotations->find(kLastApplied))
    annotations->set(kLastApplied, last_applied_text(config));
  return response;
}

void keep_times_if_unchanged(const Json& live, Json& fresh) {
  const Json* before = live["metadata"].find("managedFields");
  Json* meta = fresh.find("metadata");
  Json* after = meta ? meta->find("managedFields") : nullptr;
  if (!before || !after || before->size() != after->size() || bare(live) != bare(fresh)) return;
  Json old_entries = *before, new_entries = *after;
  for (Json* entries : {&old_entries, &new_entries})
    for (Json& entry : entries->items()) entry.erase("time");
  if (old_entries == new_entries) *after = *before;
}

}  // namespace orrery::server::managed
