#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/server/managed_fields/ownership.h"

namespace orrery::server::managed {

/// The API versions that an object can be seen in.
struct Versions {
  Str current;     // of the request
  MergeType type;  // in `current`
  /// The type in another version; nullopt: not served.
  std::function<std::optional<MergeType>(std::string_view api_version)> type_in;
  /// A value in `current`, or in the version that an earlier call gave, as `api_version`; nullopt: it
  /// cannot be converted.
  std::function<std::optional<api::Json>(const api::Json& value, std::string_view api_version)> convert;

  std::optional<MergeType> type_of(std::string_view api_version) const;
  std::optional<api::Json> as(const api::Json& value, std::string_view from, std::string_view to) const;
  /// Two values of `current`, compared in another version.
  std::optional<Comparison> compare(const api::Json& before, const api::Json& after, std::string_view api_version,
                                    FieldSetPool& pool) const;
};

/// Entries that own parts of what is atomic own the whole.
void reconcile_all(Managers& managers, const Versions& versions, FieldSetPool& pool);

struct ApplyOutcome {
  Status status;  // Internal: the configuration does not fit the schema
  std::vector<FieldConflict> conflicts;
  bool unchanged = false;  // the object is what it was; managers may have changed
  api::Json object;
  Managers managers;
};

/// Server-side apply on JSON trees without managedFields. `writer` has no set; its time is used if the
/// object changes. `name` is how messages call the object.
ApplyOutcome apply_json(const api::Json& live, const api::Json& config, Managers managers, const Manager& writer,
                        bool force, const Versions& versions, const ResetFields& reset, std::string_view name,
                        FieldSetPool& pool);

}  // namespace orrery::server::managed
