#pragma once

#include "engine/api/cel/type.h"
#include "engine/api/cel/value.h"

namespace orrery::api::cel {

/// JSON as what its schema says that it is: a text of format date-time a timestamp, of format duration a
/// duration, of format byte bytes; numbers of type "number" doubles.
/// Source: Kubernetes v1.32 apiserver/pkg/cel/common/values.go.
Value typed(Value value);

/// The type of what follows a structural schema of a custom resource; `root` has the members of all objects
/// (metadata with name and generateName). False: rules cannot see it.
/// Source: Kubernetes v1.32 apiserver/pkg/cel/common/schemas.go.
bool type_of_schema(const Json& schema, bool root, Type* type);

/// The identifier by which a rule names a member, and back: "-" is "__dash__". "": it has none.
std::string escaped_name(std::string_view member);
std::string unescaped_name(std::string_view identifier);

}  // namespace orrery::api::cel
