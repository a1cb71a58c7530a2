#include "engine/server/managed_fields/ownership.h"

#include <algorithm>
#include <map>

#include "engine/api/names.h"

namespace orrery::server::managed {
namespace {

Comparison filtered(const Comparison& changes, const ResetFields& reset, FieldSetPool& pool) {
  return {reset.filter(changes.removed, pool), reset.filter(changes.modified, pool), reset.filter(changes.added, pool)};
}

/// Comparisons by version, filtered; each is made once.
class Filtered {
 public:
  Filtered(const ComparisonIn& changes, const ResetFields& reset, FieldSetPool& pool)
      : changes_(changes), reset_(reset), pool_(pool) {}

  // nullptr: there is no such version.
  const Comparison* in(const Str& version) {
    for (const auto& [known, comparison] : made_)
      if (known == version) return comparison ? &*comparison : nullptr;
    auto changes = changes_(version);
    if (changes && reset_.holds_in(version)) changes = filtered(*changes, reset_, pool_);
    made_.reserve(8);
    made_.emplace_back(version, changes);
    return made_.back().second ? &*made_.back().second : nullptr;
  }

 private:
  const ComparisonIn& changes_;
  const ResetFields& reset_;
  FieldSetPool& pool_;
  std::vector<std::pair<Str, std::optional<Comparison>>> made_;
};

void drop_unknown_versions(Managers& managers, const Manager* writer, Filtered& changes) {
  std::erase_if(managers, [&](const Manager& manager) {
    return !(writer && manager.same_identity(*writer)) && !changes.in(manager.api_version);
  });
}

const FieldSet* identity_fields() {
  using Kind = PathElement::Kind;
  static FieldSetPool pool;
  static const FieldSet* const set = [] {
    std::vector<FieldSetEntry> metadata;
    for (const char* name : {"name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                             "managedFields", "resourceVersion"})
      metadata.push_back({{Kind::kField, name}, true, nullptr});
    std::vector<FieldSetEntry> root{{{Kind::kField, "apiVersion"}, true, nullptr}, {{Kind::kField, "kind"}, true, nullptr}};
    root.push_back({{Kind::kField, "metadata"}, true, pool.make_unsorted(metadata)});
    return pool.make_unsorted(root);
  }();
  return set;
}

}  // namespace

std::vector<FieldConflict> find_conflicts(Managers& managers, const Manager* writer, const ComparisonIn& changes,
                                          const ResetFields& reset, FieldSetPool& pool) {
  Filtered in_version(changes, reset, pool);
  drop_unknown_versions(managers, writer, in_version);
  std::vector<FieldConflict> conflicts;
  for (const Manager& manager : managers) {
    if (writer && manager.same_identity(*writer)) continue;
    const Comparison& seen = *in_version.in(manager.api_version);
    const FieldSet* mine = pool.intersect(manager.set, pool.unite(seen.modified, seen.added));
    if (mine) conflicts.push_back({manager, mine});
  }
  return conflicts;
}

void take_from_others(Managers& managers, const Manager* writer, const ComparisonIn& changes,
                      const ResetFields& reset, FieldSetPool& pool) {
  Filtered in_version(changes, reset, pool);
  drop_unknown_versions(managers, writer, in_version);
  for (Manager& manager : managers) {
    if (writer && manager.same_identity(*writer)) continue;
    const Comparison& seen = *in_version.in(manager.api_version);
    const FieldSet* left = pool.subtract(pool.subtract(manager.set, seen.modified), seen.added);
    manager.set_fields(pool.subtract(left, seen.removed));
  }
  std::erase_if(managers, [](const Manager& manager) { return manager.set == nullptr; });
}

const FieldSet* without_identity(const FieldSet* set, FieldSetPool& pool) {
  return pool.subtract(set, identity_fields());
}

void track_update(Managers& managers, const Manager& writer, const ComparisonIn& changes, const ResetFields& reset,
                  FieldSetPool& pool) {
  take_from_others(managers, nullptr, changes, reset, pool);
  const auto own = changes(writer.api_version);
  CHECK(own.has_value()) << "no comparison in the writer's own version";
  const FieldSet* taken = pool.subtract(pool.unite(own->modified, own->added), own->removed);
  taken = without_identity(reset.filter(taken, pool), pool);
  if (taken) {
    Manager* entry = find_manager(managers, writer);
    if (!entry) entry = &managers.emplace_back(writer);
    entry->set_fields(pool.unite(taken, entry->set));
    entry->api_version = writer.api_version;
    entry->time = writer.time;
  }
  cap_updates(managers, pool);
}

std::string conflict_message(const std::vector<FieldConflict>& conflicts) {
  std::map<std::string, std::vector<std::string>> by_manager;
  size_t count = 0;
  for (const FieldConflict& conflict : conflicts) {
    std::vector<std::string> paths;
    append_paths(conflict.fields, paths);
    count += paths.size();
    // Upstream sorts by identifiers, which are JSON texts of the entries.
    const Manager& m = conflict.manager;
    auto& known = by_manager[str_cat(m.name, "\",\"operation\":\"", m.applied ? "Apply" : "Update\",\"apiVersion\":\"",
                                     m.applied ? "" : m.api_version.view(), "\"", m.subresource)];
    if (known.empty()) known.push_back(describe(m));
    known.insert(known.end(), paths.begin(), paths.end());
  }
  if (count == 1) {
    const auto& lines = by_manager.begin()->second;
    return str_cat("Apply failed with 1 conflict: conflict with ", lines[0], ": ", lines[1]);
  }
  std::vector<std::string> lines;
  for (const auto& [identifier, known] : by_manager) {
    lines.push_back(str_cat("conflicts with ", known[0], ":"));
    for (size_t i = 1; i < known.size(); ++i) lines.push_back("- " + known[i]);
  }
  return str_cat("Apply failed with ", uint64_t{count}, " conflicts: ", api::join(lines, "\n"));
}

}  // namespace orrery::server::managed
