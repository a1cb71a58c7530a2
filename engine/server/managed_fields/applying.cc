#include "engine/server/managed_fields/applying.h"

#include "engine/server/managed_fields/json_tree.h"

namespace orrery::server::managed {

using api::Json;

std::optional<MergeType> Versions::type_of(std::string_view api_version) const {
  if (current == api_version) return type;
  return type_in ? type_in(api_version) : std::nullopt;
}

std::optional<Json> Versions::as(const Json& value, std::string_view from, std::string_view to) const {
  if (from == to) return value;
  return convert ? convert(value, to) : std::nullopt;
}

std::optional<Comparison> Versions::compare(const Json& before, const Json& after, std::string_view api_version,
                                            FieldSetPool& pool) const {
  const auto seen_type = type_of(api_version);
  if (!seen_type) return std::nullopt;
  if (current == api_version) return compare_json(*seen_type, before, after, pool);
  const auto seen_before = as(before, current, api_version), seen_after = as(after, current, api_version);
  if (!seen_before || !seen_after) return std::nullopt;
  return compare_json(*seen_type, *seen_before, *seen_after, pool);
}

void reconcile_all(Managers& managers, const Versions& versions, FieldSetPool& pool) {
  std::erase_if(managers, [&](Manager& manager) {
    const auto type = versions.type_of(manager.api_version);
    if (type) manager.set_fields(reconcile(*type, manager.set, pool));
    return !type;
  });
}

namespace {

/// Removes from a merged object what its applier applied last time, not now, and nobody else owns.
class Pruner {
 public:
  Pruner(const Managers& managers, const Versions& versions, FieldSetPool& pool)
      : managers_(managers), versions_(versions), pool_(pool) {}

  Json prune(const Json& merged, const Str& last_version, const FieldSet* last) {
    const auto type = versions_.type_of(last_version);
    auto old_form = type ? versions_.as(merged, versions_.current, last_version) : std::nullopt;
    if (!old_form) return merged;
    type_ = *type;
    Json pruned = remove_items(type_, *old_form, named(last));
    pruned = keep_owned(*old_form, pruned, last_version);
    pruned = keep_dangling(*old_form, pruned, last);
    auto result = versions_.as(pruned, last_version, versions_.current);
    return result ? *std::move(result) : merged;
  }

 private:
  const FieldSet* named(const FieldSet* set) { return with_named_fields(type_, set, pool_); }
  const FieldSet* fields(const Json& value) { return named(field_set(type_, value, pool_)); }

  // Puts back what any manager owns, the applier's new configuration included.
  Json keep_owned(const Json& merged, const Json& pruned, const Str& version) {
    const FieldSet* owned = nullptr;
    for (const Manager& manager : managers_)
      if (manager.api_version == version) owned = pool_.unite(owned, manager.set);
    Json out = keep(merged, pruned, owned);
    const MergeType type = type_;
    for (const Manager& manager : managers_)
      if (manager.api_version != version) out = keep_in(merged, out, version, manager);
    type_ = type;
    return out;
  }
  Json keep(const Json& merged, const Json& pruned, const FieldSet* owned) {
    const FieldSet* kept = pool_.unite(fields(pruned), named(owned));
    return remove_items(type_, merged, pool_.subtract(fields(merged), kept));
  }
  Json keep_in(const Json& merged, const Json& pruned, const Str& version, const Manager& manager) {
    const auto type = versions_.type_of(manager.api_version);
    const auto other_merged = versions_.as(merged, version, manager.api_version);
    const auto other_pruned = versions_.as(pruned, version, manager.api_version);
    if (!type || !other_merged || !other_pruned) return pruned;
    type_ = *type;
    auto back = versions_.as(keep(*other_merged, *other_pruned, manager.set), manager.api_version, version);
    return back ? *std::move(back) : pruned;
  }
  // Only what the applier owned may go.
  Json keep_dangling(const Json& merged, const Json& pruned, const FieldSet* last) {
    const FieldSet* gone = pool_.subtract(fields(merged), fields(pruned));
    return remove_items(type_, merged, pool_.intersect(gone, named(last)));
  }

  const Managers& managers_;
  const Versions& versions_;
  FieldSetPool& pool_;
  MergeType type_;
};

}  // namespace

ApplyOutcome apply_json(const Json& live, const Json& config, Managers managers, const Manager& writer, bool force,
                        const Versions& versions, const ResetFields& reset, std::string_view name,
                        FieldSetPool& pool) {
  ApplyOutcome out;
  if (const Status fits = validate(versions.type, config); !fits.is_ok()) {
    out.status = internal_error(str_cat("failed to create typed patch object (", name, "): ", fits.message()));
    return out;
  }
  reconcile_all(managers, versions, pool);
  Json merged = merge(versions.type, live, config);

  Manager* own = find_manager(managers, writer);
  const Manager last = own ? *own : Manager();
  if (!own) own = &managers.emplace_back(writer);
  if (last.set == nullptr) own->time.reset();
  own->api_version = versions.current;
  own->set_fields(reset.filter(field_set(versions.type, config, pool), pool));
  if (last.set) merged = Pruner(managers, versions, pool).prune(merged, last.api_version, last.set);

  const ComparisonIn changes = [&](std::string_view version) { return versions.compare(live, merged, version, pool); };
  out.conflicts = find_conflicts(managers, &writer, changes, reset, pool);
  if (!force && !out.conflicts.empty()) return out;
  out.conflicts.clear();
  take_from_others(managers, &writer, changes, reset, pool);
  out.unchanged = live == merged;
  out.object = std::move(merged);
  if (Manager* entry = find_manager(managers, writer)) {
    entry->set_fields(without_identity(entry->set, pool));
    if (!out.unchanged) entry->time = writer.time;
    if (!entry->set) managers.erase(managers.begin() + (entry - managers.data()));
  }
  out.managers = std::move(managers);
  return out;
}

}  // namespace orrery::server::managed
