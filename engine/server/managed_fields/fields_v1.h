#pragma once

#include "engine/base/status.h"
#include "engine/server/managed_fields/field_set.h"

namespace orrery::server::managed {

/// FieldsV1 text, as in {"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{".":{},"f:image":{}}}}}.
/// Members whose names begin with an unknown prefix are dropped. The set points into `text` where it
/// can: `text` must outlive the pool's sets. nullptr is the empty set.
Result<const FieldSet*> parse_fields_v1(std::string_view text, FieldSetPool& pool);

/// The text of a set, byte for byte as Kubernetes writes it.
std::string write_fields_v1(const FieldSet* set);

}  // namespace orrery::server::managed
