#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/server/validation/findings.h"

namespace orrery::server {

/// The schema of a custom resource itself. Source: Kubernetes v1.32 apiextensions-apiserver
/// pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema) and
/// pkg/apiserver/schema/validation.go (structural schemas). `has_status`: it has a subresource for its status.
void check_custom_schema(const api::Json& schema, bool has_status, const Path& at, Findings& findings);

/// What the rules of a whole schema may cost together, and where a walk through it is.
struct RuleCosts {
  uint64_t cardinality = 1;     // how often the place can occur in an object
  bool bounded = true;          // by its schema
  bool correlatable = true;     // old values can be found
  std::string uncorrelated_at;  // below which they cannot
  uint64_t total = 0;
  std::vector<std::pair<std::string, uint64_t>> expensive;  // places, the most expensive first

  void add(std::string place, uint64_t cost);
};

/// The form of x-kubernetes-validations of one place.
void check_rule_forms(const api::Json& schema, const Path& at, Findings& findings);
/// What they say, for a schema in which nothing else is wrong.
void check_schema_rules(const api::Json& schema, bool root, const Path& at, RuleCosts& costs, Findings& findings);
/// "WHAT exceeds budget by factor of 2.5x (...)".
std::string cost_message(std::string_view what, uint64_t cost, uint64_t max);

}  // namespace orrery::server
