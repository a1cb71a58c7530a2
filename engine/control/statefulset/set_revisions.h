#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// The ControllerRevisions of a StatefulSet: named after a hash of what they keep, compared by it,
/// numbered in the order of the roll-outs. Kubernetes v1.32 pkg/controller/history.

/// The end of a revision's name: FNV-1 (32 bits; not 1a) of the data and of the decimal number of
/// collisions, if given, made safe.
std::string revision_hash(std::string_view data, Opt<int32_t> collisions);

/// The revision of the set's present template.
api::Object new_set_revision(const api::Object& set, int64_t number, Opt<int32_t> collisions);

/// The set with what the revision keeps put back. BadRequest or Invalid: its data are no patch.
Result<api::Object> apply_revision(const api::Object& set, const api::Object& revision);

/// Both keep the same, byte for byte.
bool same_revision(const api::Object& a, const api::Object& b);

/// Writes a new revision; one of the same name and data is as good. A name that other data has
/// raises `collisions`, and another name is tried.
Result<api::Object> create_revision(const api::Object& set, const api::Object& revision,
                                    int32_t& collisions, WriteLog& log);

/// The revision with another number, written unless it has it.
Result<api::Object> renumber_revision(const api::Object& revision, int64_t number, WriteLog& log);

/// Adopts what no owner controls of `revisions`; fails if the set is being deleted.
Status adopt_revisions(const api::Object& set, std::span<const api::Object> revisions,
                       WriteLog& log);

/// Deletes the oldest of `revisions` (sorted) until `limit` are left of those not in `live`.
Status drop_old_revisions(std::span<const api::Object> revisions, std::span<const Str> live,
                          int64_t limit, WriteLog& log);

}  // namespace orrery::control
