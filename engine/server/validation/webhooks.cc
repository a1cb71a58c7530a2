// Webhook configurations. Source: Kubernetes v1.32 pkg/apis/admissionregistration/validation.
#include "engine/api/names.h"
#include "engine/server/validation/admission_rules.h"
#include "engine/server/validation/webhook_client.h"

namespace orrery::server {
namespace {

using namespace admissionregistrationv1;

bool has_wildcard(const List<Str>& list) { return std::find(list.begin(), list.end(), "*") != list.end(); }

void check_resources(const List<Str>& resources, const Path& at, Findings& findings) {
  if (resources.empty()) findings.required(at);
  Seen of_all_subresources, of_all_resources;
  bool everything = false, all_resources = false, plain = false;
  for (size_t i = 0; i < resources.size(); ++i) {
    const Str& text = resources[i];
    const Path here = at.index(i);
    if (text.empty()) {
      findings.required(here);
      continue;
    }
    everything = everything || text == "*/*";
    all_resources = all_resources || text == "*";
    const size_t slash = text.view().find('/');
    if (slash == std::string_view::npos) {
      plain = text != "*";
      continue;
    }
    const std::string_view resource = text.view().substr(0, slash), sub = text.view().substr(slash + 1);
    if (of_all_subresources.has(resource))
      findings.invalid(here, text, str_cat("if '", resource, "/*' is present, must not specify ", text));
    if (of_all_resources.has(sub)) findings.invalid(here, text, str_cat("if '*/", sub, "' is present, must not specify ", text));
    if (sub == "*") of_all_subresources.insert(resource);
    if (resource == "*") of_all_resources.insert(sub);
  }
  if (resources.size() > 1 && everything)
    findings.invalid(at, Shown::list(resources), "if '*/*' is present, must not specify other resources");
  if (all_resources && plain)
    findings.invalid(at, Shown::list(resources), "if '*' is present, must not specify other resources without subresources");
}

bool is_review_version(std::string_view version) { return is_one_of(version, {"v1", "v1beta1"}); }
bool has_review_version(const List<Str>& versions) {
  return std::any_of(versions.begin(), versions.end(), [](const Str& v) { return is_review_version(v); });
}
bool has_no_side_effects(const Opt<Str>& effects) { return effects && is_one_of(*effects, {"None", "NoneOnDryRun"}); }

// Errors that an object has already may stay.
struct Rules {
  bool any_side_effects = false, any_versions = false, repeated_names = false, any_labels = false, any_conditions = false;

  template <typename H>
  static Rules replacing(const List<H>& old, const List<H>& fresh) {
    Rules r;
    Seen names;
    Findings of_selectors;
    for (const H& hook : old) {
      r.any_side_effects = r.any_side_effects || !has_no_side_effects(hook.side_effects);
      r.any_versions = r.any_versions || (!hook.admission_review_versions.empty() && !has_review_version(hook.admission_review_versions));
      r.repeated_names = !names.insert(hook.name) || r.repeated_names;
      check_label_selector(hook.namespace_selector.get(), Path("s"), of_selectors);
      check_label_selector(hook.object_selector.get(), Path("s"), of_selectors);
    }
    r.any_labels = !of_selectors.empty();
    r.any_conditions = old.size() == fresh.size();
    for (size_t i = 0; i < old.size() && r.any_conditions; ++i) {
      const auto &now = fresh[i].match_conditions, &before = old[i].match_conditions;
      r.any_conditions = std::equal(now.begin(), now.end(), before.begin(), before.end(),
                                    [](const MatchCondition& a, const MatchCondition& b) { return api::semantic_equal(a, b); });
    }
    return r;
  }
};

void check_versions(const List<Str>& versions, const Rules& rules, const Path& at, Findings& findings) {
  if (versions.empty()) return findings.required(at, "must specify one of v1, v1beta1");
  Seen seen;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (!seen.insert(versions[i])) findings.invalid(at.index(i), versions[i], "duplicate version");
    else findings.invalid(at.index(i), versions[i], check_dns1035_label(versions[i]));
  }
  if (!rules.any_versions && !has_review_version(versions))
    findings.invalid(at, Shown::list(versions), "must include at least one of v1, v1beta1");
}

void check_hook_name(const Str& name, const Path& at, Findings& findings) {
  if (name.empty()) return findings.required(at);
  if (const Messages wrong = name_is_subdomain(name, false); !wrong.empty()) return findings.invalid(at, name, api::join(wrong, ","));
  if (std::count(name.view().begin(), name.view().end(), '.') < 2)
    findings.invalid(at, name, "should be a domain with at least three segments separated by dots");
}

void check_side_effects(const Opt<Str>& effects, const Rules& rules, const Path& at, Findings& findings) {
  constexpr std::string_view kAll[] = {"None", "NoneOnDryRun", "Some", "Unknown"};
  const std::span<const std::string_view> allowed(kAll, rules.any_side_effects ? 4 : 2);
  if (!effects)
    return findings.required(at, rules.any_side_effects ? "must specify one of None, NoneOnDryRun, Some, Unknown"
                                                        : "must specify one of None, NoneOnDryRun");
  if (std::find(allowed.begin(), allowed.end(), effects->view()) == allowed.end()) findings.not_supported(at, *effects, allowed);
}

void check_supported(const Opt<Str>& value, std::initializer_list<std::string_view> supported, const Path& at, Findings& findings) {
  if (value && !is_one_of(*value, supported)) findings.not_supported(at, *value, supported);
}

void check_client(const WebhookClientConfig& client, const Path& at, Findings& findings) {
  if (client.url.has_value() == static_cast<bool>(client.service)) return findings.required(at, "exactly one of url or service is required");
  if (client.url) check_webhook_url(*client.url, at.child("url"), findings);
  else check_webhook_service(*client.service, at.child("service"), findings);
}

const Opt<Str>* reinvocation_of(const MutatingWebhook& hook) { return &hook.reinvocation_policy; }
const Opt<Str>* reinvocation_of(const ValidatingWebhook&) { return nullptr; }

template <typename H>
void check_hook(const H& hook, const Rules& rules, const Path& at, Findings& findings) {
  constexpr int32_t kTimeoutMax = 30;
  check_hook_name(hook.name, at.child("name"), findings);
  for (size_t i = 0; i < hook.rules.size(); ++i) check_admission_rule(hook.rules[i], at.child("rules", i), findings);
  check_supported(hook.failure_policy, {"Fail", "Ignore"}, at.child("failurePolicy"), findings);
  check_supported(hook.match_policy, {"Equivalent", "Exact"}, at.child("matchPolicy"), findings);
  check_side_effects(hook.side_effects, rules, at.child("sideEffects"), findings);
  const auto& seconds = hook.timeout_seconds;
  if (seconds && (*seconds < 1 || *seconds > kTimeoutMax))
    findings.invalid(at.child("timeoutSeconds"), *seconds, "the timeout value must be between 1 and 30 seconds");
  const SelectorRules selectors{rules.any_labels};
  if (hook.namespace_selector) check_label_selector(hook.namespace_selector.get(), at.child("namespaceSelector"), findings, selectors);
  if (hook.object_selector) check_label_selector(hook.object_selector.get(), at.child("objectSelector"), findings, selectors);
  if (const auto* policy = reinvocation_of(hook)) check_supported(*policy, {"IfNeeded", "Never"}, at.child("reinvocationPolicy"), findings);
  check_client(hook.client_config, at.child("clientConfig"), findings);
  if (!rules.any_conditions) check_match_conditions(hook.match_conditions, false, at.child("matchConditions"), findings);
}

template <typename C>
void check_hooks(const C& config, const Rules& rules, Findings& findings) {
  constexpr Path kWebhooks("webhooks");
  check_object_meta(*config.metadata, false, name_is_subdomain, findings, false);
  Seen names;
  for (size_t i = 0; i < config.webhooks.size(); ++i) {
    const auto& hook = config.webhooks[i];
    const Path at = kWebhooks.index(i);
    check_hook(hook, rules, at, findings);
    check_versions(hook.admission_review_versions, rules, at.child("admissionReviewVersions"), findings);
    if (!hook.name.empty() && !names.insert(hook.name) && !rules.repeated_names) findings.duplicate(at.child("name"), hook.name);
  }
}

template <typename C>
void check_create(const C& config, Findings& findings) {
  check_hooks(config, {}, findings);
}
template <typename C>
void check_update(const C& config, const C& old, Findings& findings) {
  check_hooks(config, Rules::replacing(old.webhooks, config.webhooks), findings);
}

template <typename C>
CheckRow webhook_row() {
  return check_row<C, check_create<C>, check_update<C>>();
}

}  // namespace

void check_admission_rule(const RuleWithOperations& rule, const Path& at, Findings& findings) {
  const Path operations = at.child("operations"), groups = at.child("apiGroups"), versions = at.child("apiVersions");
  if (rule.operations.empty()) findings.required(operations);
  if (rule.operations.size() > 1 && has_wildcard(rule.operations))
    findings.invalid(operations, Shown::list(rule.operations, "[]admissionregistration.OperationType"), "if '*' is present, must not specify other operations");
  for (size_t i = 0; i < rule.operations.size(); ++i)
    if (!is_one_of(rule.operations[i], {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"}))
      findings.not_supported(operations.index(i), rule.operations[i], {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"});
  if (rule.api_groups.empty()) findings.required(groups);
  if (rule.api_groups.size() > 1 && has_wildcard(rule.api_groups))
    findings.invalid(groups, Shown::list(rule.api_groups), "if '*' is present, must not specify other API groups");
  if (rule.api_versions.empty()) findings.required(versions);
  if (rule.api_versions.size() > 1 && has_wildcard(rule.api_versions))
    findings.invalid(versions, Shown::list(rule.api_versions), "if '*' is present, must not specify other API versions");
  for (size_t i = 0; i < rule.api_versions.size(); ++i)
    if (rule.api_versions[i].empty()) findings.required(versions.index(i));
  check_resources(rule.resources, at.child("resources"), findings);
  check_supported(rule.scope, {"*", "Cluster", "Namespaced"}, at.child("scope"), findings);
}

api::cel::Type check_expression(std::string_view source, const ExpressionNames& names, std::initializer_list<api::cel::Type::Kind> wanted,
                                const Path& at, Findings& findings) {
  using api::cel::Type;
  Result<Type> type = compile_admission_expression(source, names);
  if (!type.is_ok()) {
    findings.invalid(at, source, type.status().message());
    return Type::of(Type::Kind::kError);
  }
  std::string allowed;
  for (const Type::Kind kind : wanted) allowed += (allowed.empty() ? "" : " ") + Type::of(kind).declared();
  if (wanted.size() > 1) allowed = str_cat("one of [", allowed, "]");
  if (wanted.size() == 0 || std::find(wanted.begin(), wanted.end(), type->kind) != wanted.end()) return std::move(*type);
  findings.invalid(at, source, str_cat("must evaluate to ", allowed, " but got ", type->declared()));
  return std::move(*type);
}

void check_match_conditions(const List<MatchCondition>& conditions, bool params, const Path& at, Findings& findings) {
  constexpr size_t kCountMax = 64;
  if (conditions.size() > kCountMax) findings.too_many(at, conditions.size(), kCountMax);
  Seen names;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& condition = conditions[i];
    const Path here = at.index(i);
    const std::string_view expression = trim_space(condition.expression);
    const ExpressionNames names_known{params, true, nullptr};
    if (expression.empty()) findings.required(here.child("expression"));
    else check_expression(expression, names_known, {api::cel::Type::Kind::kBool}, here.child("expression"), findings);
    if (condition.name.empty()) {
      findings.required(here.child("name"));
      continue;
    }
    check_qualified(condition.name, here.child("name"), findings);
    if (!names.insert(condition.name)) findings.duplicate(here.child("name"), condition.name);
  }
}

std::span<const CheckRow> admission_checks() {
  static const CheckRow kRows[] = {webhook_row<MutatingWebhookConfiguration>(), webhook_row<ValidatingWebhookConfiguration>()};
  return kRows;
}

}  // namespace orrery::server
