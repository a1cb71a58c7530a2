#pragma once

#include <optional>
#include <vector>

#include "engine/api/gen/metav1.h"
#include "engine/base/status.h"
#include "engine/server/managed_fields/field_set.h"

namespace orrery::server::managed {

/// Who owns which fields: the entries of metadata.managedFields, decoded. Source of the rules:
/// Kubernetes v1.32 apimachinery/pkg/util/managedfields/internal.
struct Manager {
  Str name;
  Str api_version;  // the version that `set` is written in
  Str subresource;  // "" for the object itself
  bool applied = false;
  std::optional<api::Timestamp> time;
  const FieldSet* set = nullptr;
  Str text;  // FieldsV1 of `set` as it came in, "" if the set has changed since

  /// One manager has one entry for each operation and subresource; updates also for each version.
  bool same_identity(const Manager& other) const {
    return applied == other.applied && name == other.name && subresource == other.subresource &&
           (applied || api_version == other.api_version);
  }
  void set_fields(const FieldSet* fields) {
    if (fields == set) return;
    set = fields;
    text = Str();
  }
};
using Managers = std::vector<Manager>;

/// Sets point into the entries' texts. The error's text is upstream's.
Result<Managers> decode_managers(const List<metav1::ManagedFieldsEntry>& entries, FieldSetPool& pool);

/// Applied before updated, then by time, name, version and subresource.
List<metav1::ManagedFieldsEntry> encode_managers(Managers managers);

/// True if the request asks to forget all managers: a list that is empty but not nil, or that has one
/// entry without content.
bool is_reset(const List<metav1::ManagedFieldsEntry>& entries);

/// At most 10 entries of updates: the oldest are united to one "ancient-changes" for each version.
void cap_updates(Managers& managers, FieldSetPool& pool);

/// The entry with `manager`'s identity; nullptr if there is none.
Manager* find_manager(Managers& managers, const Manager& manager);

/// `"name" with subresource "status" using v1`: how messages of conflicts name a manager.
std::string describe(const Manager& manager);

}  // namespace orrery::server::managed
