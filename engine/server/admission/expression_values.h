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
  api::cel::Programs* programs = nullptr;

  /// `kind` is the version that is shown; `ns` and `params` may be null.
  static ExpressionInput of(const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind);
  void set_namespace(const api::Object& ns);
  void set_params(const api::Object& params, const api::KindDesc& kind, const AdmissionContext& context);
  /// For expressions that may not ask it.
  void drop_authorizer();
  /// Parsed at most once, where there are programs.
  std::shared_ptr<const api::cel::Programs::Parsed> parsed(std::string_view source) const;
};

/// The value of an expression; failures are worded as upstream tells of them ("expression '...' resulted in
/// error: ..."). TooManyRequests: the budget is spent.
/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/cel/condition.go.
Result<api::cel::Value> value_of_expression(std::string_view source, const ExpressionInput& input, api::cel::Budget& budget);

}  // namespace orrery::server
