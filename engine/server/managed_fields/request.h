#pragma once

#include "engine/server/managed_fields/applying.h"
#include "engine/server/managed_fields/managed_fields.h"

namespace orrery::server::managed {

/// What the requests of built-in kinds and of custom resources have in common.

Manager writer_of(const FieldWrite& write, Str api_version, bool applied);

/// The managers to begin an update with: those of the request if they may be set there and mean
/// something, else those of the live object; none if neither can be decoded.
Managers managers_of_update(const List<metav1::ManagedFieldsEntry>& live, const List<metav1::ManagedFieldsEntry>& fresh,
                            bool subresource, FieldSetPool& pool);

/// BadRequest if a configuration is of another kind or has managedFields.
Status check_config(const api::Json& config, std::string_view api_version, std::string_view kind);

/// apply_json, where kubectl may take over, without force, what its own client-side apply has set.
ApplyOutcome apply_as(const api::Json& live, const api::Json& config, const Managers& managers, const Manager& writer,
                      bool force, const Versions& versions, const ResetFields& reset, FieldSetPool& pool);

/// Conflict, with one cause for each field.
Status conflict_status(const std::vector<FieldConflict>& conflicts, List<ApiResponse::Cause>* causes);

}  // namespace orrery::server::managed
