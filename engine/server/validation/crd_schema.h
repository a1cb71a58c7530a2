#pragma once

#include "engine/api/json_value.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

/// The schema of a custom resource itself. Source: Kubernetes v1.32 apiextensions-apiserver
/// pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema) and
/// pkg/apiserver/schema/validation.go (structural schemas).
void check_custom_schema(const api::Json& schema, const Path& at, Findings& findings);

/// A regular expression, as schemas have them.
void check_pattern(std::string_view pattern, const Path& at, Findings& findings);

/// x-kubernetes-validations of one place.
void check_schema_rules(const api::Json& schema, const Path& at, Findings& findings);

}  // namespace orrery::server
