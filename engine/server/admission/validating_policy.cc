#include "engine/server/admission/validating_policy.h"

#include <algorithm>
#include <map>

#include "engine/api/gen/corev1.h"
#include "engine/server/admission/matching.h"
#include "engine/server/admission/policy_evaluation.h"
#include "engine/server/admission/policy_params.h"
#include "engine/server/admission/webhook_review.h"

namespace orrery::server {
namespace {

using namespace admissionregistrationv1;

bool any_rule(const List<NamedRuleWithOperations>& rules, const AdmissionRequest& request, const api::KindDesc& kind) {
  const Str name = request_name(request);
  return std::any_of(rules.begin(), rules.end(), [&](const NamedRuleWithOperations& rule) {
    const auto& names = rule.resource_names;
    return rule_matches(rule, request, kind) && (names.empty() || std::find(names.begin(), names.end(), name) != names.end());
  });
}

// The kind as which the resources are seen; nullptr: they are not the request's.
const api::KindDesc* matched_kind(const MatchResources& match, const AdmissionRequest& request, const AdmissionContext& context) {
  if (!namespace_selected(match.namespace_selector, request, context) || !object_selected(match.object_selector, request)) return nullptr;
  const bool equivalent = match.match_policy.value_or(Str()) != "Exact";
  const auto by = [&](const List<NamedRuleWithOperations>& rules) {
    return kind_that(request, equivalent, [&](const api::KindDesc& kind) { return any_rule(rules, request, kind); });
  };
  if (by(match.exclude_resource_rules)) return nullptr;
  return match.resource_rules.empty() ? request.kind : by(match.resource_rules);
}

// Reviews are no changes of anything.
bool is_exempt(const api::KindDesc& kind) {
  return is_admission_configuration(kind) || kind.group == "authentication.k8s.io" || kind.group == "authorization.k8s.io";
}

Refusal denial(const AdmissionRequest& request, const Str& policy, const Str& binding, const PolicyFailure& failure) {
  const std::string bound = binding.empty() ? "" : str_cat(" with binding '", binding, "'");
  const std::string message = str_cat("ValidatingAdmissionPolicy '", policy, "'", bound, " denied request: ", failure.message);
  const Str name = request_name(request);
  const bool unnamed = name.empty() && !(request.object && request.object.has_meta());
  Refusal refusal = forbidden(request.kind->group, request.kind->plural, unnamed ? std::string_view("Unknown") : name.view(), message);
  const Str reason = failure.reason.empty() ? Str("Invalid") : failure.reason;
  metav1::Status& whole = refusal.whole.mut();
  whole.status = "Failure";
  whole.message = refusal.status.message();
  whole.reason = reason;
  whole.code = reason == "Forbidden" ? 403 : reason == "RequestEntityTooLarge" ? 413 : reason == "Unauthorized" ? 401 : 422;
  metav1::StatusDetails& details = whole.details.mut();
  details.name = refusal.name;
  details.group = refusal.group;
  details.kind = refusal.resource;
  metav1::StatusCause cause;
  cause.message = Str(message);
  details.causes.push_back(std::move(cause));
  return refusal;
}

/// One policy and one request.
class PolicyCheck {
 public:
  PolicyCheck(const api::Object& policy, const AdmissionRequest& request, AdmissionContext& context)
      : policy_(policy), spec_(*policy.get<ValidatingAdmissionPolicy>().spec), request_(request), context_(context) {}

  /// The first denial of all bindings.
  Refusal run(const std::vector<api::Object>& bindings) {
    const bool known = !spec_.param_kind || context_.objects.find_kind(spec_.param_kind->api_version, spec_.param_kind->kind);
    const api::KindDesc* kind = matched_kind(*spec_.match_constraints, request_, context_);
    if (!kind) return {};
    if (!known) {
      const ParamKind& param = *spec_.param_kind;
      misconfigured("", str_cat("failed to configure policy: failed to find resource referenced by paramKind: '", param.api_version,
                                ", Kind=", param.kind, "'"));
      return std::move(refusal_);
    }
    for (const api::Object& binding : bindings) {
      const auto& bound = *binding.get<ValidatingAdmissionPolicyBinding>().spec;
      if (bound.policy_name != policy_.meta().name) continue;
      if (bound.match_resources && !matched_kind(*bound.match_resources, request_, context_)) continue;
      check(binding.meta().name, bound, *kind);
    }
    publish_annotations();
    return std::move(refusal_);
  }

 private:
  void deny(const Str& binding, const PolicyFailure& failure) {
    if (refusal_.is_ok()) refusal_ = denial(request_, policy_.meta().name, binding, failure);
  }
  void misconfigured(const Str& binding, std::string why) {
    if (spec_.failure_policy.value_or(Str()) != "Ignore") deny(binding, {std::move(why), "", true, 0});
  }

  void check(const Str& binding, const ValidatingAdmissionPolicyBindingSpec& bound, const api::KindDesc& kind) {
    const PolicyParams params = policy_params(spec_.param_kind.get(), bound.param_ref.get(), request_.ns, context_.objects);
    if (!params.error.empty()) return misconfigured(binding, str_cat("failed to configure binding: ", params.error));
    ExpressionInput input = ExpressionInput::of(request_, context_, kind);
    const api::KindDesc* param_kind =
        spec_.param_kind ? context_.objects.find_kind(spec_.param_kind->api_version, spec_.param_kind->kind) : nullptr;
    const bool is_namespace = request_.kind->plural == "namespaces" && request_.kind->group.empty();
    if (!is_namespace && !request_.ns.empty())
      input.set_namespace(context_.objects.find(*corev1::Namespace::descriptor().kind, "", request_.ns));
    for (const api::Object& param : params.objects) {
      ExpressionInput with_param = input;
      if (param) with_param.set_params(param, *param_kind, context_);
      if (context_.waits) return;
      PolicyOutcome outcome = evaluate_policy(spec_, with_param);
      for (const PolicyFailure& failure : outcome.failures) act(binding, bound, failure);
      for (auto& [key, value] : outcome.annotations) {
        std::vector<std::string>& values = annotations_[key];
        if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
      }
    }
  }
  // Of several parameters there may be several values.
  void publish_annotations() {
    for (const auto& [key, values] : annotations_) {
      std::string all;
      for (const std::string& value : values) all += str_cat(all.empty() ? "" : ", ", value);
      context_.annotate(str_cat(policy_.meta().name, "/", key), all);
    }
  }
  void publish_failure(const Str& binding, const ValidatingAdmissionPolicyBindingSpec& bound, const PolicyFailure& failure) {
    api::Json actions = api::Json::array();
    for (const Str& action : bound.validation_actions) actions.push_back(action);
    api::Json value = api::Json::object();
    value.set("message", failure.message);
    value.set("policy", policy_.meta().name);
    value.set("binding", binding);
    value.set("expressionIndex", static_cast<int64_t>(failure.validation));
    value.set("validationActions", std::move(actions));
    context_.annotate("validation.policy.admission.k8s.io/validation_failure", str_cat("[", value.dump(), "]"));
  }
  void act(const Str& binding, const ValidatingAdmissionPolicyBindingSpec& bound, const PolicyFailure& failure) {
    if (failure.always_denies) return deny(binding, failure);
    for (const Str& action : bound.validation_actions) {
      if (action == "Deny") deny(binding, failure);
      if (action == "Audit") publish_failure(binding, bound, failure);
      if (action == "Warn")
        context_.warnings.push_back(str_cat("Validation failed for ValidatingAdmissionPolicy '", policy_.meta().name, "' with binding '",
                                            binding, "': ", failure.message));
    }
  }

  const api::Object& policy_;
  const ValidatingAdmissionPolicySpec& spec_;
  const AdmissionRequest& request_;
  AdmissionContext& context_;
  Refusal refusal_;
  std::map<Str, std::vector<std::string>> annotations_;
};

class ValidatingPolicy final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "ValidatingAdmissionPolicy"; }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    const auto policies = context.objects.list(*ValidatingAdmissionPolicy::descriptor().kind, "");
    if (policies.empty() || is_exempt(*request.kind)) return {};
    const auto bindings = context.objects.list(*ValidatingAdmissionPolicyBinding::descriptor().kind, "");
    Refusal first;
    for (const api::Object& policy : policies) {
      Refusal refusal = PolicyCheck(policy, request, context).run(bindings);
      if (context.waits) return {};
      if (first.is_ok()) first = std::move(refusal);
    }
    return first;
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> validating_policy() { return std::make_unique<ValidatingPolicy>(); }

}  // namespace orrery::server
