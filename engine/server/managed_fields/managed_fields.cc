#include "engine/server/managed_fields/managed_fields.h"

#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/server/managed_fields/applying.h"
#include "engine/server/managed_fields/json_tree.h"
#include "engine/server/managed_fields/last_applied.h"
#include "engine/server/managed_fields/request.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using api::KindDesc;
using api::Object;
using Entries = List<metav1::ManagedFieldsEntry>;

/// Sets the entries, nil if there are none.
void store(metav1::ObjectMeta& meta, Managers managers) {
  if (managers.empty()) return meta.managed_fields.reset();
  meta.managed_fields = encode_managers(std::move(managers));
}

std::optional<Comparison> compare_in(const Object& before, const Object& after, std::string_view api_version,
                                     const FieldWrite& write, FieldSetPool& pool, std::vector<Object>& converted) {
  if (!write.convert) return std::nullopt;
  const auto old_form = write.convert(before, api_version);
  const auto new_form = write.convert(after, api_version);
  if (!old_form.is_ok() || !new_form.is_ok()) return std::nullopt;
  // The sets point into them.
  converted.push_back(*old_form);
  converted.push_back(*new_form);
  return compare_structs(*old_form->type(), old_form->data(), new_form->data(), pool);
}

void track_typed(Managers& managers, const Object& live, const Object& fresh, const Comparison& own,
                 const Manager& writer, const FieldWrite& write, FieldSetPool& pool) {
  const KindDesc& kind = *fresh.kind();
  std::vector<Object> converted;
  const ComparisonIn changes = [&](std::string_view version) -> std::optional<Comparison> {
    if (version == kind.api_version) return own;
    const Object before = live ? live : Object::make(*fresh.type());
    return compare_in(before, fresh, version, write, pool, converted);
  };
  track_update(managers, writer, changes, ResetFields(kind, write.subresource), pool);
}

Versions versions_of(const KindDesc& kind, const FieldWrite& write) {
  Versions versions;
  versions.current = Str(kind.api_version);
  versions.type = MergeType(*kind.type);
  versions.type_in = [&kind](std::string_view version) -> std::optional<MergeType> {
    const KindDesc* other = api::find_kind(version, kind.kind);
    if (!other) return std::nullopt;
    return MergeType(*other->type);
  };
  versions.convert = [&write](const Json& value, std::string_view version) -> std::optional<Json> {
    const auto object = api::object_from_json(value);
    if (!object.is_ok() || !write.convert) return std::nullopt;
    const auto other = write.convert(*object, version);
    if (!other.is_ok()) return std::nullopt;
    Json out = api::to_json(*other);
    // It may have to be converted back.
    out.set("apiVersion", version);
    out.set("kind", value["kind"]);
    return out;
  };
  return versions;
}

void reconcile_typed(Managers& managers, const KindDesc& kind, FieldSetPool& pool) {
  for (Manager& manager : managers) {
    const KindDesc* other = manager.api_version == kind.api_version ? &kind : api::find_kind(manager.api_version, kind.kind);
    if (other) manager.set_fields(reconcile(MergeType(*other->type), manager.set, pool));
  }
}

// The merged object has values that its type does not take.
Status no_proper_version(const Json& config, const KindDesc& kind, std::string_view why) {
  const Json& meta = config["metadata"];
  const std::string type = str_cat(kind.api_version, ", Kind=", kind.kind);
  return internal_error(str_cat("failed to convert new object (", meta["namespace"].text(), "/", meta["name"].text(), "; ", type,
                                ") to proper version: unable to convert unstructured object to ", type, ": ", why));
}

}  // namespace

void update_managed_fields(const Object& live, Object& fresh, const FieldWrite& write) {
  CHECK(!live || live.type() == fresh.type()) << "live and fresh must be of one version";
  FieldSetPool pool;
  const Entries none;
  const Entries& live_entries = live ? live.meta().managed_fields : none;
  const Entries fresh_entries = fresh.meta().managed_fields;
  // Not part of the comparison.
  fresh.mut_meta().managed_fields = live_entries;
  const Comparison own = compare_structs(*fresh.type(), live.data(), fresh.data(), pool);
  if (own.lacks_keys) return fresh.mut_meta().managed_fields.reset();  // nobody's, as upstream gives up
  if (own.empty() && (!write.subresource.empty() || live_entries.same(fresh_entries))) return;

  Managers managers = managers_of_update(live_entries, fresh_entries, !write.subresource.empty(), pool);
  // Objects that nobody manages stay so until the first apply.
  const bool tracked = !managers.empty() || !live || live.meta().uid.empty();
  if (tracked) {
    reconcile_typed(managers, *fresh.kind(), pool);
    track_typed(managers, live, fresh, own, writer_of(write, Str(fresh.kind()->api_version), false), write, pool);
  }
  store(fresh.mut_meta(), std::move(managers));
}

ApiResponse apply(const Object& live, const KindDesc& kind, const Json& config, bool force, const FieldWrite& write,
                  const std::function<void(Object&)>& set_defaults) {
  ApiResponse response;
  response.status = check_config(config, kind.api_version, kind.kind);
  if (!response.status.is_ok()) return response;
  FieldSetPool pool;
  const Entries entries = live ? live.meta().managed_fields : Entries();
  auto managers = decode_managers(entries, pool);
  if (!managers.is_ok()) {
    response.status = internal_error("failed to decode managed fields: " + managers.status().message());
    response.unclassified = true;
    return response;
  }
  Object bare = live ? live : Object::make(*kind.type);
  bare.mut_meta().managed_fields.reset();
  if (live && managers->empty()) {
    const Comparison all = compare_structs(*kind.type, nullptr, bare.data(), pool);
    FieldWrite before = write;
    before.manager = "before-first-apply";
    track_typed(*managers, Object(), bare, all, writer_of(before, Str(kind.api_version), false), write, pool);
  }
  const Versions versions = versions_of(kind, write);
  Json document = api::to_json(bare);
  // Stored objects need not say what they are.
  document.set("apiVersion", kind.api_version);
  document.set("kind", kind.kind);
  ApplyOutcome out = apply_as(document, config, *managers, writer_of(write, versions.current, true), force,
                              versions, ResetFields(kind, write.subresource), pool);
  response.status = out.status;
  response.unclassified = !out.status.is_ok();
  if (!out.conflicts.empty()) {
    response.status = conflict_status(out.conflicts, &response.causes);
    response.details.mut();
  }
  if (!response.status.is_ok()) return response;
  if (!out.unchanged) {
    api::DecodeOptions options;
    options.wording = api::DecodeWording::kGoConverter;
    auto object = api::object_from_json(out.object, options);
    if (!object.is_ok()) {
      response.status = no_proper_version(config, kind, object.status().message());
      response.unclassified = true;
      return response;
    }
    bare = *std::move(object);
    if (set_defaults) set_defaults(bare);
  }
  metav1::ObjectMeta& meta = bare.mut_meta();
  store(meta, std::move(out.managers));
  if (write.manager == "kubectl" && !meta.annotations.get(kLastApplied).empty())
    meta.annotations.set(Str(kLastApplied), Str(last_applied_text(config)));
  response.object = std::move(bare);
  return response;
}

void keep_times_if_unchanged(const Object& live, Object& fresh) {
  const Entries& before = live.meta().managed_fields;
  const Entries& after = fresh.meta().managed_fields;
  if (before.same(after) || before.empty() || before.size() != after.size()) return;
  for (size_t i = 0; i < before.size(); ++i) {
    const metav1::ManagedFieldsEntry &a = before[i], &b = after[i];
    if (a.manager != b.manager || a.operation != b.operation || a.api_version != b.api_version ||
        a.subresource != b.subresource || !(a.fields_v1 == b.fields_v1))
      return;
  }
  FieldSetPool pool;
  Object same_entries = fresh;
  same_entries.mut_meta().managed_fields = before;
  if (compare_structs(*live.type(), live.data(), same_entries.data(), pool).empty()) fresh = std::move(same_entries);
}

}  // namespace orrery::server::managed
