#pragma once

#include <memory>

#include "engine/api/json_value.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// The x-kubernetes-validations of a schema, compiled once. Source: Kubernetes v1.32
/// apiextensions-apiserver pkg/apiserver/schema/cel.
class SchemaRules {
 public:
  SchemaRules() = default;
  explicit SchemaRules(const api::Json& schema);

  bool any() const { return root_ != nullptr; }
  /// Evaluates the rules on a whole object; transition rules only where there is an old value. What
  /// fails of a value that has not changed is a warning only.
  void check(const api::Json& object, const api::Json* old, FieldErrors& errors, std::vector<std::string>& warnings) const;

 private:
  struct Node;
  std::shared_ptr<const Node> root_;  // null: no rules
};

}  // namespace orrery::server
