#include "engine/server/admission/webhook_hook.h"

#include <algorithm>

#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

using admissionregistrationv1::RuleWithOperations;

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
  hook.has_conditions = !webhook.match_conditions.empty();
  return hook;
}

std::string_view operation_name(AdmissionRequest::Operation operation) {
  if (operation == AdmissionRequest::Operation::kCreate) return "CREATE";
  return operation == AdmissionRequest::Operation::kUpdate ? "UPDATE" : "DELETE";
}

bool has(const List<Str>& texts, std::string_view wanted) {
  return std::any_of(texts.begin(), texts.end(), [&](const Str& text) { return text == "*" || text == wanted; });
}

// "pods", "pods/status", "pods/*", "*/*", ...
bool resource_matches(std::string_view pattern, std::string_view plural, std::string_view subresource) {
  const size_t slash = pattern.find('/');
  const std::string_view resource = pattern.substr(0, slash);
  const std::string_view sub = slash == std::string_view::npos ? std::string_view() : pattern.substr(slash + 1);
  return (resource == "*" || resource == plural) && (sub == "*" || sub == subresource);
}

bool scope_matches(const Opt<Str>& scope, const AdmissionRequest& request) {
  if (!scope || *scope == "*") return true;
  const bool cluster = request.ns.empty() || request.kind->plural == "namespaces";
  return (*scope == "Cluster") == cluster;
}

bool rules_match(const Hook& hook, const AdmissionRequest& request, const api::KindDesc& kind) {
  return std::any_of(hook.rules.begin(), hook.rules.end(), [&](const RuleWithOperations& rule) {
    const bool resource = std::any_of(rule.resources.begin(), rule.resources.end(), [&](const Str& pattern) {
      return resource_matches(pattern, kind.plural, request.subresource);
    });
    return resource && has(rule.operations, operation_name(request.operation)) && has(rule.api_groups, kind.group) &&
           has(rule.api_versions, kind.version) && scope_matches(rule.scope, request);
  });
}

const api::KindDesc* kind_by_rules(const Hook& hook, const AdmissionRequest& request) {
  if (rules_match(hook, request, *request.kind)) return request.kind;
  if (!hook.equivalent) return nullptr;
  const api::KindDesc& stored = storage_kind(*request.kind);
  for (const api::KindDesc* other : api::all_kinds()) {
    if (other->plural != request.kind->plural || other->kind != request.kind->kind) continue;
    if (&storage_kind(*other) == &stored && rules_match(hook, request, *other)) return other;
  }
  return nullptr;
}

bool selects(const Ref<metav1::LabelSelector>& selector, const api::Labels& labels) {
  const auto parsed = api::Selector::of(selector.get());
  return parsed.is_ok() && parsed->matches(labels);
}

bool is_empty(const Ref<metav1::LabelSelector>& selector) {
  return !selector || (selector->match_labels.empty() && selector->match_expressions.empty());
}

bool namespace_matches(const Hook& hook, const AdmissionRequest& request, const AdmissionContext& context) {
  if (is_empty(hook.namespace_selector)) return true;
  const bool is_namespace = request.kind->plural == "namespaces" && request.kind->group.empty();
  if (is_namespace && request.object && request.object.is<corev1::Namespace>())
    return selects(hook.namespace_selector, request.object.meta().labels);
  if (is_namespace && request.old) return selects(hook.namespace_selector, request.old.meta().labels);
  if (request.ns.empty()) return true;
  const api::Object ns = context.objects.find(*corev1::Namespace::descriptor().kind, "", request.ns);
  return ns && selects(hook.namespace_selector, ns.meta().labels);
}

bool object_matches(const Hook& hook, const AdmissionRequest& request) {
  if (is_empty(hook.object_selector)) return true;
  const auto one = [&](const api::Object& object) {
    return object && object.has_meta() && selects(hook.object_selector, object.meta().labels);
  };
  return one(request.object) || one(request.old);
}

// No webhook may keep its own configuration from being mended.
bool is_exempt(const api::KindDesc& kind) { return kind.group == "admissionregistration.k8s.io"; }

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
  if (is_exempt(*request.kind)) return nullptr;
  const api::KindDesc* kind = kind_by_rules(hook, request);
  if (!kind || !namespace_matches(hook, request, context) || !object_matches(hook, request)) return nullptr;
  return kind;
}

}  // namespace orrery::server
