#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "engine/api/cel/checker.h"

namespace orrery::server {

/// The names that the expressions of admission may use, and their types.
struct ExpressionNames {
  bool params = false;
  bool authorizer = false;
  /// variables.NAME, for those that are declared before.
  const std::vector<std::pair<std::string, api::cel::Type>>* variables = nullptr;
};

/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/cel/compile.go.
std::vector<api::cel::Declaration> admission_declarations(const ExpressionNames& names);

/// The type of an expression; BadRequest: it cannot be compiled, with upstream's words ("compilation
/// failed: ERROR: ...").
Result<api::cel::Type> compile_admission_expression(std::string_view source, const ExpressionNames& names);

}  // namespace orrery::server
