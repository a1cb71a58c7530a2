#include "engine/server/flow/flow_schema.h"

#include <algorithm>

#include "engine/base/hash.h"
#include "engine/server/auth/attributes.h"

namespace orrery::server {
namespace {

constexpr std::string_view kAll = "*";
constexpr std::string_view kServiceAccount = "system:serviceaccount:";

bool lists(const List<Str>& list, std::string_view item) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Str& one) { return one == kAll || one == item; });
}

bool is_service_account(const flowcontrolv1::ServiceAccountSubject& subject,
                        std::string_view user) {
  if (!user.starts_with(kServiceAccount)) return false;
  user.remove_prefix(kServiceAccount.size());
  const size_t colon = user.find(':');
  return colon != user.npos && user.substr(0, colon) == subject.namespace_ &&
         (subject.name == kAll || user.substr(colon + 1) == subject.name);
}

bool subject_matches(const flowcontrolv1::Subject& subject, const ApiUser& user) {
  if (subject.user) return subject.user->name == kAll || subject.user->name == user.name;
  if (subject.service_account) return is_service_account(*subject.service_account, user.name);
  if (!subject.group) return false;
  const Str& name = subject.group->name;
  return name == kAll || std::any_of(user.groups.begin(), user.groups.end(),
                                     [&](const Str& g) { return g == name; });
}

bool names_resource(const List<Str>& list, const RequestInfo& request) {
  if (request.subresource.empty()) return lists(list, request.resource);
  for (const Str& one : list) {
    const std::string_view name = one;
    if (name == kAll) return true;
    const size_t size = request.resource.size();
    if (name.size() == size + 1 + request.subresource.size() &&
        name.starts_with(request.resource) && name[size] == '/' &&
        name.ends_with(request.subresource))
      return true;
  }
  return false;
}

bool rule_matches(const flowcontrolv1::ResourcePolicyRule& rule, const RequestInfo& request) {
  if (!lists(rule.verbs, request.verb) || !names_resource(rule.resources, request) ||
      !lists(rule.api_groups, request.group))
    return false;
  return request.ns.empty() ? rule.cluster_scope : lists(rule.namespaces, request.ns);
}

bool rule_matches(const flowcontrolv1::NonResourcePolicyRule& rule, const RequestInfo& request) {
  const List<Str>& urls = rule.non_resource_urls;
  return lists(rule.verbs, request.verb) &&
         std::any_of(urls.begin(), urls.end(),
                     [&](const Str& url) { return path_matches(url, request.path); });
}

template <typename Rules>
bool any_matches(const Rules& rules, const RequestInfo& request) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const auto& rule) { return rule_matches(rule, request); });
}

}  // namespace

bool flow_schema_matches(const flowcontrolv1::FlowSchemaSpec& schema, const RequestInfo& request,
                         const ApiUser& user) {
  return std::any_of(schema.rules.begin(), schema.rules.end(), [&](const auto& rule) {
    const auto& subjects = rule.subjects;
    return std::any_of(subjects.begin(), subjects.end(),
                       [&](const auto& s) { return subject_matches(s, user); }) &&
           (request.is_resource ? any_matches(rule.resource_rules, request)
                                : any_matches(rule.non_resource_rules, request));
  });
}

uint64_t flow_of(std::string_view schema_name, const flowcontrolv1::FlowSchemaSpec& schema,
                 const RequestInfo& request, const ApiUser& user) {
  std::string_view distinguisher;
  if (schema.distinguisher_method)
    distinguisher = schema.distinguisher_method->type == "ByUser" ? user.name.view()
                                                                  : std::string_view(request.ns);
  return hash_bytes(distinguisher, hash_bytes(schema_name));
}

// The flow's number in the mixed base (queues, queues - 1, ...) names the cards that are drawn from
// what is left of the deck.
void deal_queues(uint64_t flow, uint32_t queues, uint32_t hand, std::vector<uint32_t>& out) {
  std::vector<uint32_t> sorted;  // drawn so far
  sorted.reserve(hand);
  for (uint32_t i = 0; i < hand && i < queues; ++i) {
    const uint64_t left = queues - i;
    auto card = static_cast<uint32_t>(flow % left);
    flow /= left;
    auto at = sorted.begin();
    for (; at != sorted.end() && card >= *at; ++at) ++card;
    sorted.insert(at, card);
    out.push_back(card);
  }
}

}  // namespace orrery::server
