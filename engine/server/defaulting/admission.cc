#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/api/gen/apiextensionsv1.h"
#include "engine/api/gen/apiregistrationv1.h"
#include "engine/server/defaulting/defaults.h"

namespace orrery::server {
namespace {

constexpr int32_t kHttpsPort = 443;

template <typename R>
void default_scopes(List<R>& rules) {
  for (size_t i = 0; i < rules.size(); ++i)
    if (!rules[i].scope) rules.mut(i).scope = Str("*");
}

template <typename S>
void default_port(Ref<S>& service) {
  if (service && !service->port) service.mut().port = kHttpsPort;
}

template <typename W>
void default_webhook(W& webhook) {
  constexpr int32_t kTimeoutSeconds = 10;
  set_if_absent(webhook.failure_policy, Str("Fail"));
  set_if_absent(webhook.match_policy, Str("Equivalent"));
  if (!webhook.namespace_selector) webhook.namespace_selector.mut();
  if (!webhook.object_selector) webhook.object_selector.mut();
  set_if_absent(webhook.timeout_seconds, kTimeoutSeconds);
  default_port(webhook.client_config.service);
  default_scopes(webhook.rules);
}

void default_mutating(admissionregistrationv1::MutatingWebhookConfiguration& configuration) {
  for (size_t i = 0; i < configuration.webhooks.size(); ++i) {
    auto& webhook = configuration.webhooks.mut(i);
    default_webhook(webhook);
    set_if_absent(webhook.reinvocation_policy, Str("Never"));
  }
}

void default_validating(admissionregistrationv1::ValidatingWebhookConfiguration& configuration) {
  for (size_t i = 0; i < configuration.webhooks.size(); ++i) default_webhook(configuration.webhooks.mut(i));
}

void default_match(Ref<admissionregistrationv1::MatchResources>& ref) {
  if (!ref) return;
  auto& match = ref.mut();
  set_if_absent(match.match_policy, Str("Equivalent"));
  if (!match.namespace_selector) match.namespace_selector.mut();
  if (!match.object_selector) match.object_selector.mut();
  default_scopes(match.resource_rules);
  default_scopes(match.exclude_resource_rules);
}

void default_policy(admissionregistrationv1::ValidatingAdmissionPolicy& policy) {
  auto& spec = policy.spec.mut();
  set_if_absent(spec.failure_policy, Str("Fail"));
  default_match(spec.match_constraints);
}

void default_policy_binding(admissionregistrationv1::ValidatingAdmissionPolicyBinding& binding) {
  if (binding.spec->match_resources) default_match(binding.spec.mut().match_resources);
}

void default_api_service(apiregistrationv1::APIService& service) {
  if (service.spec->service) default_port(service.spec.mut().service);
}

void default_definition(apiextensionsv1::CustomResourceDefinition& crd) {
  auto& spec = crd.spec.mut();
  if (!spec.conversion) spec.conversion.mut().strategy = "None";
  auto& conversion = spec.conversion.mut();
  if (conversion.webhook && conversion.webhook->client_config)
    default_port(conversion.webhook.mut().client_config.mut().service);
  if (spec.names.singular.empty()) {
    std::string singular(spec.names.kind.view());
    for (char& c : singular)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    spec.names.singular = Str(singular);
  }
  if (spec.names.list_kind.empty() && !spec.names.kind.empty()) spec.names.list_kind = Str(str_cat(spec.names.kind, "List"));
}

}  // namespace

std::span<const DefaultRow> admission_defaults() {
  static constexpr DefaultRow kRows[] = {
      default_row<admissionregistrationv1::MutatingWebhookConfiguration, default_mutating>(),
      default_row<admissionregistrationv1::ValidatingWebhookConfiguration, default_validating>(),
      default_row<admissionregistrationv1::ValidatingAdmissionPolicy, default_policy>(),
      default_row<admissionregistrationv1::ValidatingAdmissionPolicyBinding, default_policy_binding>(),
      default_row<apiregistrationv1::APIService, default_api_service>(),
      default_row<apiextensionsv1::CustomResourceDefinition, default_definition>(),
  };
  return kRows;
}

}  // namespace orrery::server
