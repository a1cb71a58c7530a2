#pragma once

#include <string>

#include "engine/api/json_value.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

/// Why a schema cannot be read as a structural one; empty: it can. Source: Kubernetes v1.32
/// apiextensions-apiserver pkg/apiserver/schema/convert.go.
std::string structural_error(const api::Json& schema);

/// Structural schemas: every value has a type outside of logical words. The findings are sorted by
/// their text. Source: pkg/apiserver/schema/validation.go and complete.go.
void check_structural(const api::Json& schema, const Path& at, Findings& findings);

/// allOf, anyOf, oneOf and not.
template <typename Visit>
void each_nested(const api::Json& schema, const Path& at, Visit visit) {
  for (const char* word : {"allOf", "anyOf", "oneOf"}) {
    size_t index = 0;
    for (const api::Json& inner : schema[word].items()) visit(inner, at.child(word, index++));
  }
  if (schema["not"].is_object()) visit(schema["not"], at.child("not"));
}

}  // namespace orrery::server
