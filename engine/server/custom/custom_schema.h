#pragma once

#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/api/object.h"

namespace orrery::server {

/// The structural schema of one version of a custom resource: what becomes of members that it does not
/// name, and what is filled in. Source of the rules: Kubernetes v1.32 apiextensions-apiserver
/// pkg/apiserver/schema/{pruning,defaulting,objectmeta}.
class CustomSchema {
 public:
  CustomSchema() = default;
  /// openAPIV3Schema; null: no schema, nothing is pruned.
  CustomSchema(api::Json schema, bool preserve_unknown) : schema_(std::move(schema)), preserve_(preserve_unknown) {}

  const api::Json& root() const { return schema_; }
  /// Takes away what the schema does not know; what went is added to `unknown` as strict decoding
  /// calls it, sorted.
  void prune(api::Json& object, std::vector<std::string>& unknown) const;
  /// Fills in defaults.
  void default_values(api::Json& object) const;
  /// Takes away what is null and may not be.
  void drop_nulls(api::Json& object) const;

 private:
  api::Json schema_;
  bool preserve_ = false;
};

/// Pruning and defaulting of an object as it is decoded. What an apply patch or a webhook makes of it is
/// only defaulted: nulls in that are found by validation.
void normalize_custom(api::Object& object, std::vector<std::string>& unknown);
/// Defaulting only.
void default_custom(api::Object& object);

}  // namespace orrery::server
