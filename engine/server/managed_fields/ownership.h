#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/server/managed_fields/comparison.h"
#include "engine/server/managed_fields/managers.h"
#include "engine/server/managed_fields/reset_fields.h"

namespace orrery::server::managed {

/// How a write changes who owns what. Source of the rules: structured-merge-diff v4.4 merge/update.go
/// and Kubernetes v1.32 apimachinery/pkg/util/managedfields/internal.

/// What a write has changed, seen in the API version of an entry; nullopt: there is no such version.
using ComparisonIn = std::function<std::optional<Comparison>(std::string_view api_version)>;

/// One field that someone else owns.
struct FieldConflict {
  Manager manager;
  const FieldSet* fields;
};

/// The fields changed by a write that others than `writer` own (nullptr: nobody is excepted); entries of
/// unknown versions are dropped from `managers`.
std::vector<FieldConflict> find_conflicts(Managers& managers, const Manager* writer, const ComparisonIn& changes,
                                          const ResetFields& reset, FieldSetPool& pool);

/// Takes what has changed or gone away from all but `writer`; entries left with nothing go.
void take_from_others(Managers& managers, const Manager* writer, const ComparisonIn& changes,
                      const ResetFields& reset, FieldSetPool& pool);

/// `set` without what nobody owns: apiVersion, kind, name, uid and their like.
const FieldSet* without_identity(const FieldSet* set, FieldSetPool& pool);

/// Tracks a write that is no apply: `writer` (without set) gets what it changed, at its time.
void track_update(Managers& managers, const Manager& writer, const ComparisonIn& changes, const ResetFields& reset,
                  FieldSetPool& pool);

/// Conflicts as upstream words them: the message, and reason, message and field of each cause.
std::string conflict_message(const std::vector<FieldConflict>& conflicts);

}  // namespace orrery::server::managed
