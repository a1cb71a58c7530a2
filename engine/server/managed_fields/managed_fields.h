#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/api/object.h"
#include "engine/ports/api.h"
#include "engine/server/managed_fields/merge_schema.h"

namespace orrery::server::managed {

/// Field management of Kubernetes v1.32's API server: server-side apply, and the tracking of who
/// changed what in metadata.managedFields. Pure functions; the caller stores the results.
///
/// Where the API server calls them:
///   create       decode, default, then update_managed_fields(nothing, object), then admission and the
///                strategy (status reset, allocation): what those add is nobody's
///   update       decode, default, then update_managed_fields(live, object), then admission and strategy
///   patches      patch, decode, default, then as an update
///   apply        apply(live, configuration), then admission and strategy as for an update (or a create)
///   all but create: keep_times_if_unchanged(live, object) before storing
///   scale        scale.h

/// Who writes, and through which door.
struct FieldWrite {
  /// fieldManager of the request, else the user agent up to the first '/', cut to 128 bytes (see
  /// default_manager()); "" is tracked as "unknown".
  Str manager;
  Str subresource;  // "", status, scale, ephemeralcontainers, ...
  Time now;         // tracked in whole seconds
  /// Another version of the object, for entries that were written in it; unset, or a failure: such
  /// entries are dropped, as for a version that is not served any more.
  std::function<Result<api::Object>(const api::Object& object, std::string_view api_version)> convert;
};

/// The manager of a request without fieldManager.
Str default_manager(std::string_view user_agent);

/// Tracks a write that is no apply: sets fresh's managedFields. `live` is null for a create. What the
/// request says in managedFields replaces live's if it is valid and not empty (not through a
/// subresource); an empty list or one empty entry forgets all managers, and nothing is tracked again
/// until the first apply.
void update_managed_fields(const api::Object& live, api::Object& fresh, const FieldWrite& write);

/// Server-side apply. `live` is null if the object does not exist yet. `config` is the request's
/// object; `force` takes fields from other managers. `set_defaults` runs on the merged object.
/// response.object: the new object with its managedFields; it may equal `live` (nothing to write).
/// Failures: BadRequest (another kind, managedFields in the request), Conflict with one cause
/// FieldManagerConflict for each field, Internal (the configuration does not fit the schema).
ApiResponse apply(const api::Object& live, const api::KindDesc& kind, const api::Json& config, bool force,
                  const FieldWrite& write, const std::function<void(api::Object&)>& set_defaults);

/// Takes live's managedFields if nothing but their times has changed, so that a write without effect
/// stays one.
void keep_times_if_unchanged(const api::Object& live, api::Object& fresh);

/// The same for custom resources, as JSON trees.
struct CustomKind {
  std::string_view group, version, kind;  // of the request
  const CustomType* type = nullptr;
  bool has_status = false;                // has a status subresource
  /// The type in another version; unset, or nullptr: not served, its entries are dropped.
  std::function<const CustomType*(std::string_view api_version)> type_in = nullptr;
  /// An object in another version; unset: versions differ in nothing but their name. nullopt: it cannot be
  /// had, entries of that version are dropped.
  std::function<std::optional<api::Json>(const api::Json& object, std::string_view api_version)> convert = nullptr;
};
void update_managed_fields(const api::Json& live, api::Json& fresh, const CustomKind& kind, const FieldWrite& write);
struct CustomApplied {
  Status status;
  List<ApiResponse::Cause> causes;
  api::Json object;
};
CustomApplied apply(const api::Json& live, const CustomKind& kind, const api::Json& config, bool force,
                    const FieldWrite& write, const std::function<void(api::Json&)>& set_defaults);
void keep_times_if_unchanged(const api::Json& live, api::Json& fresh);

}  // namespace orrery::server::managed
