#pragma once

#include <string_view>
#include <vector>

#include "engine/api/cel/evaluator.h"
#include "engine/server/admission/chain.h"

namespace orrery::server {

/// What the expressions about one request see: object, oldObject, request and, where there is one,
/// namespaceObject, params and authorizer.
struct ExpressionInput {
  std::vector<api::cel::Variable> variables;

  /// `kind` is the version that is shown; `ns` and `params` may be null.
  static ExpressionInput of(const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind);
  void set_namespace(const api::Object& ns);
  void set_params(const api::Object& params);
  /// For expressions that may not ask it.
  void drop_authorizer();
};

/// The value of an expression; failures are worded as upstream tells of them ("expression '...' resulted in
/// error: ..."). TooManyRequests: the budget is spent.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/cel/condition.go.
Result<api::cel::Value> value_of_expression(std::string_view source, const std::vector<api::cel::Variable>& variables,
                                            api::cel::Budget& budget);

}  // namespace orrery::server
