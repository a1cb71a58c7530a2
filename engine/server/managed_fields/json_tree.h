#pragma once

#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/base/status.h"
#include "engine/server/managed_fields/field_set.h"
#include "engine/server/managed_fields/merge_schema.h"

namespace orrery::server::managed {

/// The operations of server-side apply on JSON trees. Source of the rules: structured-merge-diff
/// v4.4 typed (validate.go, merge.go, tofieldset.go, remove.go).

/// The shape of `type` for this value: kScalar, kObject or kList.
MergeType::Shape shape_for(const MergeType& type, const api::Json& value);
/// True if the value is merged as a whole.
bool atomic_for(const MergeType& type, MergeType::Shape shape);

/// The path element of an item of a list that is not atomic; BadRequest says why it has none.
Result<PathElement> item_element(const MergeType& list, const api::Json& item, FieldSetPool& pool);

/// OK, or what does not fit the schema: ".spec.x: field not declared in schema".
Status validate(const MergeType& type, const api::Json& value);

/// The fields that a configuration sets.
const FieldSet* field_set(const MergeType& type, const api::Json& value, FieldSetPool& pool);

/// `live` with what `config` sets. Both must be valid; lists of `live` may have duplicates.
api::Json merge(const MergeType& type, const api::Json& live, const api::Json& config);

/// Without the members and items that belong to `set`; what loses all its members becomes null.
api::Json remove_items(const MergeType& type, const api::Json& value, const FieldSet* set);

/// With the named fields on the way to each path as members.
const FieldSet* with_named_fields(const MergeType& type, const FieldSet* set, FieldSetPool& pool);

/// Owners of parts of what is atomic (by now) own the whole.
const FieldSet* reconcile(const MergeType& type, const FieldSet* set, FieldSetPool& pool);

}  // namespace orrery::server::managed
