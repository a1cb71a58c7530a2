#include "engine/server/admission/webhook_hook.h"

#include <algorithm>

#include "engine/server/admission/matching.h"

namespace orrery::server {
namespace {

template <typename Webhook>
Hook common(const Str& configuration, const Webhook& webhook) {
  Hook hook;
  hook.id = str_cat(configuration, "/", webhook.name);
  hook.name = webhook.name;
  hook.client = webhook.client_config;
  hook.rules = webhook.rules;
  hook.ignores_failure = webhook.failure_policy.value_or(Str()) == "Ignore";
  hook.equivalent = webhook.match_policy.value_or(Str()) != "Exact";
  hook.namespace_selector = webhook.namespace_selector;
  hook.object_selector = webhook.object_selector;
  const Str effects = webhook.side_effects.value_or(Str());
  hook.has_side_effects = effects != "None" && effects != "NoneOnDryRun";
  constexpr int32_t kSecondsDefault = 10;
  hook.timeout = Duration::seconds(webhook.timeout_seconds.value_or(kSecondsDefault));
  hook.conditions = webhook.match_conditions;
  return hook;
}

}  // namespace

std::vector<Hook> mutating_hooks(const ObjectLister& objects) {
  using admissionregistrationv1::MutatingWebhookConfiguration;
  std::vector<Hook> hooks;
  for (const api::Object& object : objects.list(*MutatingWebhookConfiguration::descriptor().kind, "")) {
    for (const auto& webhook : object.get<MutatingWebhookConfiguration>().webhooks) {
      hooks.push_back(common(object.meta().name, webhook));
      hooks.back().asked_again = webhook.reinvocation_policy.value_or(Str()) == "IfNeeded";
    }
  }
  return hooks;
}

std::vector<Hook> validating_hooks(const ObjectLister& objects) {
  using admissionregistrationv1::ValidatingWebhookConfiguration;
  std::vector<Hook> hooks;
  for (const api::Object& object : objects.list(*ValidatingWebhookConfiguration::descriptor().kind, ""))
    for (const auto& webhook : object.get<ValidatingWebhookConfiguration>().webhooks)
      hooks.push_back(common(object.meta().name, webhook));
  return hooks;
}

const api::KindDesc* matched_kind(const Hook& hook, const AdmissionRequest& request, const AdmissionContext& context) {
  if (is_admission_configuration(*request.kind)) return nullptr;
  const api::KindDesc* kind = kind_that(request, hook.equivalent, [&](const api::KindDesc& seen) {
    return std::any_of(hook.rules.begin(), hook.rules.end(), [&](const auto& rule) { return rule_matches(rule, request, seen); });
  });
  const bool selected =
      kind && namespace_selected(hook.namespace_selector, request, context) && object_selected(hook.object_selector, request);
  if (!selected) return nullptr;
  return kind;
}

}  // namespace orrery::server
