// Flow schemas and priority levels. Source: Kubernetes v1.32 pkg/apis/flowcontrol/validation.
#include <cmath>

#include "engine/api/gen/flowcontrolv1.h"
#include "engine/server/bootstrap/bootstrap_objects.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using namespace flowcontrolv1;

constexpr Path kSpec("spec");

// Two objects of each kind are fixed. nullptr: `name` is none of them.
template <typename T>
const T* fixed(const Str& name) {
  if (!is_one_of(name, {"exempt", "catch-all"})) return nullptr;
  static const std::vector<api::Object> kFixed = [] {
    std::vector<api::Object> out;
    for (const api::Object& object : bootstrap_objects())
      if (object.is<T>() && is_one_of(object.meta().name, {"exempt", "catch-all"})) out.push_back(object);
    return out;
  }();
  for (const api::Object& object : kFixed)
    if (object.meta().name == name) return &object.get<T>();
  return nullptr;
}

bool has_wildcard(const List<Str>& list) { return std::find(list.begin(), list.end(), "*") != list.end(); }

void check_verbs(const List<Str>& verbs, const Path& at, Findings& findings) {
  constexpr std::string_view kVerbs[] = {"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"};
  if (verbs.empty()) return findings.required(at, "verbs must contain at least one value");
  if (has_wildcard(verbs)) {
    if (verbs.size() > 1) findings.invalid(at, Shown::list(verbs), "if '*' is present, must not specify other verbs");
    return;
  }
  for (const Str& verb : verbs)
    if (std::find(std::begin(kVerbs), std::end(kVerbs), verb.view()) == std::end(kVerbs))
      return findings.not_supported(at, Shown::list(verbs), kVerbs);
}

std::string_view url_error(std::string_view path) {
  if (path.empty()) return "must not be empty";
  if (path == "/") return {};
  if (!path.starts_with('/')) return "must start with slash";
  if (contains(path, " ")) return "must not contain white-space";
  if (contains(path, "//")) return "must not contain double slash";
  const auto stars = std::count(path.begin(), path.end(), '*');
  if (stars > 1 || (stars == 1 && !path.ends_with("/*"))) return "wildcard can only do suffix matching";
  return {};
}

void check_non_resource_rule(const NonResourcePolicyRule& rule, const Path& at, Findings& findings) {
  check_verbs(rule.verbs, at.child("verbs"), findings);
  const auto& urls = rule.non_resource_urls;
  const Path urls_at = at.child("nonResourceURLs");
  if (urls.empty()) return findings.required(urls_at, "nonResourceURLs must contain at least one value");
  if (has_wildcard(urls)) {
    if (urls.size() > 1) findings.invalid(urls_at, Shown::list(urls), "if '*' is present, must not specify other non-resource URLs");
    return;
  }
  for (size_t i = 0; i < urls.size(); ++i)
    if (const std::string_view wrong = url_error(urls[i]); !wrong.empty()) findings.invalid(urls_at.index(i), urls[i], wrong);
}

// A list that is not empty; a wildcard stands alone.
void check_list(const List<Str>& list, std::string_view missing, std::string_view others, const Path& at, Findings& findings) {
  if (list.empty()) findings.required(at, str_cat("resource rules must supply at least one ", missing));
  else if (list.size() > 1 && has_wildcard(list))
    findings.invalid(at, Shown::list(list), str_cat("if '*' is present, must not specify other ", others));
}

void check_resource_rule(const ResourcePolicyRule& rule, const Path& at, Findings& findings) {
  check_verbs(rule.verbs, at.child("verbs"), findings);
  check_list(rule.api_groups, "api group", "api groups", at.child("apiGroups"), findings);
  check_list(rule.resources, "resource", "resources", at.child("resources"), findings);
  const auto& namespaces = rule.namespaces;
  const Path namespaces_at = at.child("namespaces");
  if (namespaces.empty()) {
    if (!rule.cluster_scope)
      findings.required(namespaces_at, "resource rules that are not cluster scoped must supply at least one namespace");
  } else if (has_wildcard(namespaces)) {
    if (namespaces.size() > 1) findings.invalid(namespaces_at, Shown::list(namespaces), "if '*' is present, must not specify other namespaces");
  } else {
    for (size_t i = 0; i < namespaces.size(); ++i)
      for (const std::string& wrong : name_is_label(namespaces[i], false))
        findings.invalid(namespaces_at.index(i), namespaces[i],
                         str_cat("each member of this list must be '*' or a DNS-1123 label; ", wrong));
  }
}

void check_account(const ServiceAccountSubject& account, const Path& at, Findings& findings) {
  if (account.name.empty()) findings.required(at.child("name"));
  else if (account.name != "*") check_subdomain(account.name, at.child("name"), findings);
  if (account.namespace_.empty()) findings.required(at.child("namespace"), "must specify namespace for service account");
  else check_label(account.namespace_, at.child("namespace"), findings);
}

void check_subject(const Subject& subject, const Path& at, Findings& findings) {
  const bool account = subject.kind == "ServiceAccount", user = subject.kind == "User", group = subject.kind == "Group";
  if (!account && !user && !group) return findings.not_supported(at.child("kind"), subject.kind, {"Group", "ServiceAccount", "User"});
  const Path account_at = at.child("serviceAccount"), user_at = at.child("user"), group_at = at.child("group");
  if (account && !subject.service_account) findings.required(account_at, "serviceAccount is required when subject kind is 'ServiceAccount'");
  if (account && subject.service_account) check_account(*subject.service_account, account_at, findings);
  if (user && !subject.user) findings.required(user_at, "user is required when subject kind is 'User'");
  if (user && subject.user && subject.user->name.empty()) findings.required(user_at.child("name"));
  if (group && !subject.group) findings.required(group_at, "group is required when subject kind is 'Group'");
  if (group && subject.group && subject.group->name.empty()) findings.required(group_at.child("name"));
  if (!account && subject.service_account)
    findings.forbidden(account_at, "serviceAccount is forbidden when subject kind is not 'ServiceAccount'");
  if (!user && subject.user) findings.forbidden(user_at, "user is forbidden when subject kind is not 'User'");
  if (!group && subject.group) findings.forbidden(group_at, "group is forbidden when subject kind is not 'Group'");
}

void check_rule(const PolicyRulesWithSubjects& rule, const Path& at, Findings& findings) {
  if (rule.subjects.empty()) findings.required(at.child("subjects"), "subjects must contain at least one value");
  for (size_t i = 0; i < rule.subjects.size(); ++i) check_subject(rule.subjects[i], at.child("subjects", i), findings);
  if (rule.resource_rules.empty() && rule.non_resource_rules.empty())
    findings.required(at, "at least one of resourceRules and nonResourceRules has to be non-empty");
  for (size_t i = 0; i < rule.resource_rules.size(); ++i)
    check_resource_rule(rule.resource_rules[i], at.child("resourceRules", i), findings);
  for (size_t i = 0; i < rule.non_resource_rules.size(); ++i)
    check_non_resource_rule(rule.non_resource_rules[i], at.child("nonResourceRules", i), findings);
}

template <typename C>
void check_flow_conditions(const List<C>& conditions, Findings& findings) {
  constexpr Path kConditions("status.conditions");
  Seen types;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const Path at = kConditions.index(i);
    if (!types.insert(conditions[i].type)) findings.duplicate(at.child("type"), conditions[i].type);
    if (conditions[i].type.empty()) findings.required(at.child("type"), "must not be empty");
  }
}

void check_schema_spec(const FlowSchema& schema, Findings& findings) {
  constexpr int32_t kPrecedenceMax = 10000;
  const auto& spec = *schema.spec;
  const Path precedence = kSpec.child("matchingPrecedence"), level = kSpec.child("priorityLevelConfiguration");
  const int32_t value = spec.matching_precedence;
  if (value <= 0) findings.invalid(precedence, value, "must be a positive value");
  if (value > kPrecedenceMax) findings.invalid(precedence, value, "must not be greater than 10000");
  if (value == 1 && schema.metadata->name != "exempt")
    findings.invalid(precedence, value, "only the schema named 'exempt' may have matchingPrecedence 1");
  const auto& method = spec.distinguisher_method;
  if (method && !is_one_of(method->type, {"ByNamespace", "ByUser"}))
    findings.not_supported(kSpec.child("distinguisherMethod.type"), Shown::object(*method), {"ByNamespace", "ByUser"});
  const Str& name = spec.priority_level_configuration.name;
  if (name.empty()) findings.required(level.child("name"), "must reference a priority level");
  else check_subdomain(name, level.child("name"), findings);
  for (size_t i = 0; i < spec.rules.size(); ++i) check_rule(spec.rules[i], kSpec.child("rules", i), findings);
}

void check_create(const FlowSchema& schema, Findings& findings) {
  check_object_meta(*schema.metadata, false, name_is_subdomain, findings);
  check_schema_spec(schema, findings);
  const Str& name = schema.metadata->name;
  if (const auto* want = fixed<FlowSchema>(name); want && !api::semantic_equal(*schema.spec, *want->spec))
    findings.invalid(kSpec, Shown::object(*schema.spec), str_cat("spec of '", name, "' must equal the fixed value"));
  check_flow_conditions(schema.status->conditions, findings);
}
void check_update(const FlowSchema& schema, const FlowSchema&, Findings& findings) { check_create(schema, findings); }
void check_status(const FlowSchema& schema, const FlowSchema&, Findings& findings) {
  check_flow_conditions(schema.status->conditions, findings);
}

void check_percent_of(const Opt<int32_t>& percent, const Path& at, Findings& findings) {
  if (percent && (*percent < 0 || *percent > 100)) findings.invalid(at, *percent, "must be between 0 and 100, inclusive");
}

void check_queuing(const QueuingConfiguration& queuing, const Path& at, Findings& findings) {
  constexpr int32_t kQueuesMax = 10'000'000;
  constexpr double kHashBits = 60;
  constexpr std::string_view kPositive = "must be positive";
  const Path queues = at.child("queues"), hand = at.child("handSize");
  if (queuing.queue_length_limit <= 0) findings.invalid(at.child("queueLengthLimit"), queuing.queue_length_limit, kPositive);
  if (queuing.queues <= 0) findings.invalid(queues, queuing.queues, kPositive);
  else if (queuing.queues > kQueuesMax) findings.invalid(queues, queuing.queues, "must not be greater than 10000000");
  if (queuing.hand_size <= 0)
    findings.invalid(hand, queuing.hand_size, kPositive);
  else if (queuing.hand_size > queuing.queues)
    findings.invalid(hand, queuing.hand_size, str_cat("should not be greater than queues (", int64_t{queuing.queues}, ")"));
  else if (std::ceil(std::log2(queuing.queues) * queuing.hand_size) > kHashBits)
    findings.invalid(hand, queuing.hand_size, str_cat("required entropy bits of deckSize ", int64_t{queuing.queues}, " and handSize ",
                                                      int64_t{queuing.hand_size}, " should not be greater than 60"));
}

void check_limited(const LimitedPriorityLevelConfiguration& limited, const Path& at, Findings& findings) {
  const auto& shares = limited.nominal_concurrency_shares;
  if (shares && *shares < 0) findings.invalid(at.child("nominalConcurrencyShares"), *shares, "must be a non-negative integer");
  const auto& response = limited.limit_response;
  const Path response_at = at.child("limitResponse");
  const Path queuing = response_at.child("queuing");
  if (response.type == "Reject") {
    if (response.queuing) findings.forbidden(queuing, "must be nil if limited.limitResponse.type is not Limited");
  } else if (response.type == "Queue") {
    if (response.queuing) check_queuing(*response.queuing, queuing, findings);
    else findings.required(queuing, "must not be empty if limited.limitResponse.type is Limited");
  } else {
    findings.not_supported(response_at.child("type"), response.type, {"Queue", "Reject"});
  }
  check_percent_of(limited.lendable_percent, at.child("lendablePercent"), findings);
  if (limited.borrowing_limit_percent && *limited.borrowing_limit_percent < 0)
    findings.invalid(at.child("borrowingLimitPercent"), *limited.borrowing_limit_percent, "if specified, must be a non-negative integer");
}

void check_level_spec(const PriorityLevelConfiguration& level, Findings& findings) {
  const auto& spec = *level.spec;
  const Path type = kSpec.child("type"), limited = kSpec.child("limited"), exempt = kSpec.child("exempt");
  if ((level.metadata->name == "exempt") != (spec.type == "Exempt"))
    findings.invalid(type, spec.type, "type must be 'Exempt' if and only if name is 'exempt'");
  if (spec.type == "Exempt") {
    if (spec.limited) findings.forbidden(limited, "must be nil if the type is not Limited");
    if (!spec.exempt) return;
    const auto& shares = spec.exempt->nominal_concurrency_shares;
    if (shares && *shares < 0) findings.invalid(exempt.child("nominalConcurrencyShares"), *shares, "must be a non-negative integer");
    check_percent_of(spec.exempt->lendable_percent, exempt.child("lendablePercent"), findings);
  } else if (spec.type == "Limited") {
    if (spec.exempt) findings.forbidden(exempt, "must be nil if the type is Limited");
    if (spec.limited) check_limited(*spec.limited, limited, findings);
    else findings.required(limited, "must not be empty when type is Limited");
  } else {
    findings.not_supported(type, spec.type, {"Exempt", "Limited"});
  }
}

void check_fixed_level(const PriorityLevelConfiguration& level, Findings& findings) {
  const Str& name = level.metadata->name;
  const auto* want = fixed<PriorityLevelConfiguration>(name);
  if (!want) return;
  PriorityLevelConfigurationSpec have = *level.spec;
  const bool exempt = name == "exempt";
  if (exempt) have.exempt = want->spec->exempt;
  if (!api::semantic_equal(have, *want->spec))
    findings.invalid(kSpec, Shown::object(*level.spec),
                     str_cat("spec of '", name, exempt ? "' except the 'spec.exempt' field must equal the fixed value" : "' must equal the fixed value"));
}

void check_create(const PriorityLevelConfiguration& level, Findings& findings) {
  constexpr std::string_view kZeroShares = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";
  check_object_meta(*level.metadata, false, name_is_subdomain, findings);
  if (level.metadata->annotations.contains(kZeroShares))
    findings.forbidden(Path("metadata.annotations"), str_cat("annotation '", kZeroShares, "' is forbidden"));
  check_level_spec(level, findings);
  check_fixed_level(level, findings);
  check_flow_conditions(level.status->conditions, findings);
}
void check_update(const PriorityLevelConfiguration& level, const PriorityLevelConfiguration&, Findings& findings) {
  check_create(level, findings);
}
void check_status(const PriorityLevelConfiguration& level, const PriorityLevelConfiguration&, Findings& findings) {
  check_flow_conditions(level.status->conditions, findings);
}

}  // namespace

std::span<const CheckRow> flow_control_checks() {
  static const CheckRow kRows[] = {
      check_row<FlowSchema, check_create, check_update, check_status>(),
      check_row<PriorityLevelConfiguration, check_create, check_update, check_status>(),
  };
  return kRows;
}

}  // namespace orrery::server
