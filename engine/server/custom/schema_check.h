#pragma once

#include "engine/api/json_value.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// Checks of a value against the OpenAPI v3 schema of a custom resource, with the findings of
/// Kubernetes v1.32 (kube-openapi pkg/validation/validate, apiextensions-apiserver
/// pkg/apiserver/validation, schema/listtype, schema/objectmeta).

/// The values are equal, but that items of lists of type map may be in another order.
bool is_unchanged(const api::Json& value, const api::Json& old, const api::Json& schema);

/// `at` is the value's path, "" for the object itself. Where `old` is given, what has not changed is
/// not looked at again.
void check_by_schema(const api::Json& value, const api::Json* old, const api::Json& schema, const std::string& at,
                     FieldErrors& errors);
/// Lists that are sets or maps have no duplicates.
void check_unique_items(const api::Json& value, const api::Json& schema, const std::string& at, FieldErrors& errors);
/// Embedded objects say what they are.
void check_embedded(const api::Json& value, const api::Json& schema, const std::string& at, FieldErrors& errors);

/// Texts that a schema's `format` asks for. Unknown formats fit all texts.
bool fits_format(std::string_view format, std::string_view text);

/// The item of `old` that stands for `item` in a list of type map; nullptr: none.
const api::Json* item_of_old(const api::Json& item, const api::Json* old, const api::Json& schema);

}  // namespace orrery::server
