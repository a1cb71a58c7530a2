#include "engine/server/audit/audit_policy.h"

#include <algorithm>
#include <array>

#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/api/yaml.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::array<std::string_view, 4> kLevels = {"None", "Metadata", "Request",
                                                     "RequestResponse"};
constexpr std::array<std::string_view, 4> kStages = {"RequestReceived", "ResponseStarted",
                                                     "ResponseComplete", "Panic"};

template <size_t N>
int place_of(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

bool has(const List<Str>& list, std::string_view item) {
  return std::any_of(list.begin(), list.end(), [&](const Str& one) { return one == item; });
}

uint8_t stage_bits(const List<Str>& stages) {
  uint8_t bits = 0;
  for (const Str& stage : stages) bits = static_cast<uint8_t>(bits | 1 << place_of(kStages, stage));
  return bits;
}

bool resource_matches(std::string_view pattern, const Attributes& request) {
  if (pattern == "*") return true;
  if (pattern.starts_with("*/"))
    return !request.subresource.empty() && pattern.substr(2) == request.subresource;
  if (pattern.ends_with("/*")) return pattern.substr(0, pattern.size() - 2) == request.resource;
  const size_t slash = pattern.find('/');
  if (slash == pattern.npos) return request.subresource.empty() && pattern == request.resource;
  return pattern.substr(0, slash) == request.resource &&
         pattern.substr(slash + 1) == request.subresource;
}

bool resources_match(const auditv1::GroupResources& group, const Attributes& request) {
  if (group.group != request.group) return false;
  if (group.resources.empty()) return true;
  if (!group.resource_names.empty() && !has(group.resource_names, request.name)) return false;
  return std::any_of(group.resources.begin(), group.resources.end(),
                     [&](const Str& pattern) { return resource_matches(pattern, request); });
}

bool rule_matches(const auditv1::PolicyRule& rule, const Attributes& request) {
  if (!rule.users.empty() && !has(rule.users, request.user.name)) return false;
  const auto& groups = request.user.groups;
  if (!rule.user_groups.empty() &&
      std::none_of(groups.begin(), groups.end(),
                   [&](const Str& group) { return has(rule.user_groups, group); }))
    return false;
  if (!rule.verbs.empty() && !has(rule.verbs, request.verb)) return false;
  if (!rule.namespaces.empty() || !rule.resources.empty()) {
    if (!request.is_resource || (!rule.namespaces.empty() && !has(rule.namespaces, request.ns)))
      return false;
    return rule.resources.empty() ||
           std::any_of(rule.resources.begin(), rule.resources.end(),
                       [&](const auto& group) { return resources_match(group, request); });
  }
  if (rule.non_resource_urls.empty()) return true;
  return !request.is_resource &&
         std::any_of(rule.non_resource_urls.begin(), rule.non_resource_urls.end(),
                     [&](const Str& url) { return path_matches(url, request.path); });
}

std::string stage_problem(const List<Str>& stages) {
  for (const Str& stage : stages)
    if (place_of(kStages, stage) < 0)
      return str_cat("omitStages: found ", api::quoted(stage),
                     ", must be one of RequestReceived, ResponseStarted, ResponseComplete, Panic");
  return "";
}

// What is wrong with a rule; "" for nothing. Source: v1.32 apiserver/pkg/apis/audit/validation.
std::string rule_problem(const auditv1::PolicyRule& rule) {
  if (place_of(kLevels, rule.level) < 0)
    return str_cat("level: found ", api::quoted(rule.level),
                   ", must be one of None, Metadata, Request, RequestResponse");
  if (!rule.non_resource_urls.empty() && (!rule.resources.empty() || !rule.namespaces.empty()))
    return "nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs";
  for (const Str& url : rule.non_resource_urls) {
    if (url == "*") continue;
    if (!url.view().starts_with('/'))
      return str_cat("nonResourceURLs: found ", api::quoted(url),
                     ": non-resource URL rules must begin with a '/' character");
    if (const size_t star = url.view().find('*');
        star != std::string_view::npos && star + 1 != url.size())
      return str_cat("nonResourceURLs: found ", api::quoted(url),
                     ": non-resource URL wildcards '*' must be the final character of the rule");
  }
  for (const auto& group : rule.resources)
    if (!group.resource_names.empty() && group.resources.empty())
      return "resources: using resourceNames requires at least one resource";
  return stage_problem(rule.omit_stages);
}

Status check(const Json& json, const auditv1::Policy& policy, const std::string& file) {
  const auto at = [&](const Json& node, std::string_view what) {
    return bad_request(str_cat(file, ":", uint64_t{node.line()}, ": ", what));
  };
  if (policy.api_version != "audit.k8s.io/v1")
    return at(json, "apiVersion: must be audit.k8s.io/v1");
  if (policy.kind != "Policy") return at(json, "kind: must be Policy");
  if (policy.rules.empty()) return at(json, "rules: at least one rule is required");
  if (const std::string why = stage_problem(policy.omit_stages); !why.empty()) return at(json, why);
  for (size_t i = 0; i < policy.rules.size(); ++i)
    if (const std::string why = rule_problem(policy.rules[i]); !why.empty())
      return at(json["rules"][i], str_cat("rules[", uint64_t{i}, "].", why));
  return Status::ok();
}

}  // namespace

AuditPolicy::AuditPolicy(AuditLevel level) {
  auditv1::PolicyRule rule;
  rule.level = Str(kLevels[static_cast<size_t>(level)]);
  policy_.rules.push_back(std::move(rule));
}

Result<AuditPolicy> AuditPolicy::parse(std::string_view text, const std::string& file) {
  ORRERY_ASSIGN(const Json json, api::parse_yaml_document(text, file));
  api::DecodeOptions options;
  options.strict = true;
  AuditPolicy out(AuditLevel::kNone);
  out.policy_ = {};
  const Status status = api::from_json(json, auditv1::Policy::descriptor(), &out.policy_, options);
  if (!status.is_ok()) return api::located(file, status);
  ORRERY_TRY(check(json, out.policy_, file));
  return out;
}

AuditDecision AuditPolicy::decide(const Attributes& request) const {
  for (const auditv1::PolicyRule& rule : policy_.rules) {
    if (!rule_matches(rule, request)) continue;
    AuditDecision out;
    out.level = static_cast<AuditLevel>(place_of(kLevels, rule.level));
    out.omitted =
        static_cast<uint8_t>(stage_bits(policy_.omit_stages) | stage_bits(rule.omit_stages));
    out.omit_managed_fields = rule.omit_managed_fields.value_or(policy_.omit_managed_fields);
    return out;
  }
  return {AuditLevel::kNone, 0, false};
}

}  // namespace orrery::server
