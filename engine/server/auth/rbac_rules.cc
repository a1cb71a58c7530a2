#include "engine/server/auth/rbac_rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "engine/api/names.h"

namespace orrery::server {
namespace {

using rbacv1::PolicyRule;

bool has(const List<Str>& set, std::string_view item) {
  return std::any_of(set.begin(), set.end(), [&](const Str& s) { return s.view() == item; });
}
bool has_all(const List<Str>& set, const List<Str>& items) {
  return std::all_of(items.begin(), items.end(), [&](const Str& item) { return has(set, item); });
}
bool has_or_all(const List<Str>& set, std::string_view item) {
  return has(set, "*") || has(set, item);
}

bool resource_matches(const List<Str>& set, std::string_view resource,
                      std::string_view subresource) {
  for (const Str& one : set) {
    if (one == "*") return true;
    if (subresource.empty()) {
      if (one == resource) return true;
      continue;
    }
    const std::string_view text = one.view();
    const size_t slash = text.find('/');
    if (slash == text.npos || text.substr(slash + 1) != subresource) continue;
    if (text.substr(0, slash) == resource || text.substr(0, slash) == "*") return true;
  }
  return false;
}

bool url_matches(std::string_view rule, std::string_view path) {
  if (rule == "*" || rule == path) return true;
  if (!rule.ends_with('*')) return false;
  while (rule.ends_with('*')) rule.remove_suffix(1);
  return path.starts_with(rule);
}

bool urls_match(const List<Str>& rules, std::string_view path) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const Str& rule) { return url_matches(rule, path); });
}

bool resources_cover(const List<Str>& held, const List<Str>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const Str& want) {
    const std::string_view text = want.view();
    const size_t slash = text.find('/');
    if (has_or_all(held, text)) return true;
    return slash != text.npos && has(held, str_cat("*", text.substr(slash)));
  });
}

bool covers(const PolicyRule& held, const PolicyRule& part) {
  const bool verbs = has(held.verbs, "*") || has_all(held.verbs, part.verbs);
  const bool groups = has(held.api_groups, "*") || has_all(held.api_groups, part.api_groups);
  const bool names =
      part.resource_names.empty()
          ? held.resource_names.empty()
          : held.resource_names.empty() || has_all(held.resource_names, part.resource_names);
  const bool urls =
      std::all_of(part.non_resource_urls.begin(), part.non_resource_urls.end(),
                  [&](const Str& url) { return urls_match(held.non_resource_urls, url); });
  return verbs && groups && names && urls && resources_cover(held.resources, part.resources);
}

void break_down_resources(const PolicyRule& rule, std::vector<PolicyRule>& out) {
  for (const Str& group : rule.api_groups)
    for (const Str& resource : rule.resources)
      for (const Str& verb : rule.verbs) {
        PolicyRule part;
        part.api_groups = {group};
        part.resources = {resource};
        part.verbs = {verb};
        if (rule.resource_names.empty()) out.push_back(part);
        for (const Str& name : rule.resource_names) {
          part.resource_names = {name};
          out.push_back(part);
        }
      }
}

std::vector<PolicyRule> break_down(const PolicyRule& rule) {
  std::vector<PolicyRule> parts;
  break_down_resources(rule, parts);
  for (const Str& url : rule.non_resource_urls)
    for (const Str& verb : rule.verbs) {
      PolicyRule part;
      part.non_resource_urls = {url};
      part.verbs = {verb};
      parts.push_back(part);
    }
  return parts;
}

std::string compact_text(const PolicyRule& rule) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view name, const List<Str>& texts) {
    if (!texts.empty()) parts.push_back(str_cat(name, ":", quoted_list(texts)));
  };
  add("APIGroups", rule.api_groups);
  add("Resources", rule.resources);
  add("NonResourceURLs", rule.non_resource_urls);
  add("ResourceNames", rule.resource_names);
  add("Verbs", rule.verbs);
  return str_cat("{", api::join(parts, ", "), "}");
}

}  // namespace

bool rule_allows(const PolicyRule& rule, const Attributes& a) {
  if (!has_or_all(rule.verbs, a.verb)) return false;
  if (!a.is_resource) return urls_match(rule.non_resource_urls, a.path);
  return has_or_all(rule.api_groups, a.group) &&
         resource_matches(rule.resources, a.resource, a.subresource) &&
         (rule.resource_names.empty() || has(rule.resource_names, a.name));
}

std::vector<PolicyRule> missing_rules(const std::vector<PolicyRule>& held,
                                      const List<PolicyRule>& wanted) {
  std::vector<PolicyRule> missing;
  for (const PolicyRule& rule : wanted)
    for (PolicyRule& part : break_down(rule))
      if (std::none_of(held.begin(), held.end(),
                       [&](const PolicyRule& one) { return covers(one, part); }))
        missing.push_back(std::move(part));
  return missing;
}

std::vector<std::string> compact_texts(const std::vector<PolicyRule>& rules) {
  using Target = std::tuple<Str, Str, Str>;
  std::map<Target, PolicyRule> by_resource;
  std::set<std::string> texts;
  for (const PolicyRule& rule : rules) {
    if (rule.api_groups.size() != 1 || rule.resources.size() != 1 ||
        rule.resource_names.size() > 1) {
      texts.insert(compact_text(rule));
      continue;
    }
    const Str name = rule.resource_names.empty() ? Str() : rule.resource_names[0];
    auto [it, fresh] = by_resource.try_emplace({rule.api_groups[0], rule.resources[0], name}, rule);
    if (!fresh)
      for (const Str& verb : rule.verbs) it->second.verbs.push_back(verb);
  }
  for (const auto& [target, rule] : by_resource) texts.insert(compact_text(rule));
  return {texts.begin(), texts.end()};
}

std::string quoted_list(const List<Str>& texts) {
  std::vector<std::string> parts;
  for (const Str& text : texts) parts.push_back(api::quoted(text));
  return str_cat("[", api::join(parts, " "), "]");
}

}  // namespace orrery::server
