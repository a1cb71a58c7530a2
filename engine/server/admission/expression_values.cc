#include "engine/server/admission/expression_values.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/server/admission/authorizer_value.h"
#include "engine/server/admission/webhook_review.h"

namespace orrery::server {
namespace {

using api::Json;
using api::cel::Budget;
using api::cel::Value;
using api::cel::Variable;

void set(std::vector<Variable>& variables, std::string_view name, Value value) {
  for (Variable& variable : variables)
    if (variable.name == name) return void(variable.value = std::move(value));
  variables.push_back({name, std::move(value)});
}

// Times in namespaces are times.
const Json& namespace_schema() {
  static const Json kSchema = *Json::parse(
      R"({"properties":{"metadata":{"properties":{"creationTimestamp":{"format":"date-time"},"deletionTimestamp":{"format":"date-time"}}},)"
      R"("status":{"properties":{"conditions":{"items":{"properties":{"lastTransitionTime":{"format":"date-time"}}}}}}}})");
  return kSchema;
}

}  // namespace

ExpressionInput ExpressionInput::of(const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind) {
  ExpressionInput input;
  input.programs = context.programs;
  Json body = review_attributes(request, context, kind);
  set_review_options(request, context, body);
  input.variables = {{"object", Value::of(object_seen_as(seen_object(request, context.source), kind, context))},
                     {"oldObject", Value::of(object_seen_as(request.old, kind, context))},
                     {"request", Value::of(std::move(body))},
                     {"namespaceObject", Value::of(Json())},
                     {"params", Value::of(Json())}};
  if (context.authorizer) {
    input.variables.push_back({"authorizer", authorizer_value(*context.authorizer, request)});
    input.variables.push_back({"authorizer.requestResource", request_resource_value(*context.authorizer, request)});
  }
  return input;
}

void ExpressionInput::set_namespace(const api::Object& ns) {
  if (!ns) return set(variables, "namespaceObject", Value::of(Json()));
  Json shown = api::to_json(ns);
  if (Json* metadata = shown.find("metadata")) {
    if (const Json* uid = metadata->find("uid")) metadata->set("UID", *uid);
    metadata->erase("managedFields");
  }
  Value value = Value::of(std::move(shown));
  value.schema = &namespace_schema();
  set(variables, "namespaceObject", std::move(value));
}

void ExpressionInput::set_params(const api::Object& params, const api::KindDesc& kind, const AdmissionContext& context) {
  set(variables, "params", Value::of(object_seen_as(params, kind, context)));
}

void ExpressionInput::drop_authorizer() {
  std::erase_if(variables, [](const Variable& variable) { return variable.name.starts_with("authorizer"); });
}

std::shared_ptr<const api::cel::Programs::Parsed> ExpressionInput::parsed(std::string_view source) const {
  return programs ? programs->of(source) : std::make_shared<const api::cel::Programs::Parsed>(api::cel::parse(source));
}

Result<Value> value_of_expression(std::string_view source, const ExpressionInput& input, Budget& budget) {
  const auto program = input.parsed(source);
  const auto& parsed = *program;
  if (!parsed.is_ok()) return bad_request(str_cat("compilation error: compilation failed: ", parsed.status().message()));
  Budget call{std::min(budget.left, api::cel::kCostMaxPerCall)};
  const int64_t before = call.left;
  Result<Value> value = api::cel::evaluate(**parsed, input.variables, call);
  budget.left -= before - call.left;
  if (budget.left < 0)
    return Status(Code::kTooManyRequests, "validation failed due to running out of cost budget, no further validation rules will be run");
  if (value.is_ok()) return value;
  return bad_request(str_cat("expression '", source, "' resulted in error: ", value.status().message()));
}

}  // namespace orrery::server
