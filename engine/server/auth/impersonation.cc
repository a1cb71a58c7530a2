#include "engine/server/auth/impersonation.h"

#include <algorithm>
#include <vector>

#include "engine/api/names.h"
#include "engine/server/auth/authenticator.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {
namespace {

constexpr std::string_view kAuthenticationGroup = "authentication.k8s.io";
constexpr std::string_view kExtraHeader = "impersonate-extra-";
constexpr std::string_view kServiceAccountPrefix = "system:serviceaccount:";

/// One thing that is to be impersonated.
struct Wish {
  std::string_view kind;  // User, ServiceAccount, Group, UserExtra, UID
  std::string ns, name;
  std::string key;  // UserExtra
};

// Splits system:serviceaccount:NS:NAME; false if it is no valid name of a service account.
bool split_service_account(std::string_view user, Wish* wish) {
  if (!user.starts_with(kServiceAccountPrefix)) return false;
  user.remove_prefix(kServiceAccountPrefix.size());
  const size_t colon = user.find(':');
  if (colon == user.npos) return false;
  const std::string_view ns = user.substr(0, colon), name = user.substr(colon + 1);
  if (!api::check_dns1123_label(ns).empty() || !api::check_dns1123_subdomain(name).empty())
    return false;
  *wish = {"ServiceAccount", std::string(ns), std::string(name), {}};
  return true;
}

std::vector<Wish> wishes_of(const HttpHeaders& headers) {
  std::vector<Wish> wishes, extras;
  const std::string_view user = find_header(headers, "impersonate-user");
  if (Wish account; split_service_account(user, &account)) {
    wishes.push_back(account);
  } else if (!user.empty()) {
    wishes.push_back({"User", {}, std::string(user), {}});
  }
  for (const auto& [field, value] : headers) {
    if (field == "impersonate-group") wishes.push_back({"Group", {}, value, {}});
    if (!field.starts_with(kExtraHeader)) continue;
    const std::string raw = field.substr(kExtraHeader.size());
    extras.push_back({"UserExtra", {}, value, percent_decode(raw, false).value_or(raw)});
  }
  std::stable_sort(extras.begin(), extras.end(),
                   [](const Wish& a, const Wish& b) { return a.key < b.key; });
  wishes.insert(wishes.end(), extras.begin(), extras.end());
  if (const std::string_view uid = find_header(headers, "impersonate-uid"); !uid.empty())
    wishes.push_back({"UID", {}, std::string(uid), {}});
  return wishes;
}

bool is_of_authentication(const Wish& wish) {
  return wish.kind == "UserExtra" || wish.kind == "UID";
}

// Go's %v of the object references that Kubernetes makes of the headers.
std::string wishes_text(const std::vector<Wish>& wishes) {
  std::vector<std::string> texts;
  for (const Wish& wish : wishes)
    texts.push_back(str_cat("{", wish.kind, " ", wish.ns, " ", wish.name, "  ",
                            is_of_authentication(wish) ? "authentication.k8s.io/v1" : "", "  ",
                            wish.key, "}"));
  return str_cat("[", api::join(texts, " "), "]");
}

Attributes attributes_of(const Wish& wish, const ApiUser& user) {
  Attributes a;
  a.user = user;
  a.verb = "impersonate";
  a.is_resource = true;
  a.group = is_of_authentication(wish) ? kAuthenticationGroup : std::string_view();
  a.version = "v1";
  a.ns = wish.ns;
  a.name = wish.name;
  if (wish.kind == "ServiceAccount") a.resource = "serviceaccounts";
  if (wish.kind == "User") a.resource = "users";
  if (wish.kind == "Group") a.resource = "groups";
  if (wish.kind == "UID") a.resource = "uids";
  if (wish.kind == "UserExtra") {
    a.resource = "userextras";
    a.subresource = wish.key;
  }
  return a;
}

void grant(const Wish& wish, bool groups_given, ApiUser& out) {
  if (wish.kind == "ServiceAccount") {
    const ApiUser account = service_account_user(wish.ns, wish.name, "");
    out.name = account.name;
    if (!groups_given) out.groups = account.groups;
  } else if (wish.kind == "User") {
    out.name = wish.name;
  } else if (wish.kind == "Group") {
    out.groups.push_back(wish.name);
  } else if (wish.kind == "UID") {
    out.uid = wish.name;
  } else {
    out.extra.mut(wish.key).push_back(wish.name);
  }
}

// Nobody is neither authenticated nor unauthenticated.
void complete_groups(ApiUser& user) {
  const auto is_one = [](const Str& g) {
    return g == "system:authenticated" || g == "system:unauthenticated";
  };
  if (std::any_of(user.groups.begin(), user.groups.end(), is_one)) return;
  user.groups.push_back(user.name == "system:anonymous" ? "system:unauthenticated"
                                                        : "system:authenticated");
}

}  // namespace

Impersonation impersonate(const HttpRequest& request, const ApiUser& user,
                          const Authorizer& authorizer) {
  const std::vector<Wish> wishes = wishes_of(request.headers);
  if (wishes.empty()) return {{}, user, false};
  if (wishes[0].kind != "User" && wishes[0].kind != "ServiceAccount")
    return {plain_refusal(internal_error(
                str_cat("requested ", wishes_text(wishes), " without impersonating a user"))),
            {},
            false};
  const bool groups_given =
      std::any_of(wishes.begin(), wishes.end(), [](const auto& w) { return w.kind == "Group"; });
  Impersonation out;
  out.impersonated = true;
  for (const Wish& wish : wishes) {
    const Attributes attributes = attributes_of(wish, user);
    const Decision decision = authorizer.authorize(attributes);
    if (!decision.allowed) return {forbidden(attributes, decision.reason), {}, false};
    grant(wish, groups_given, out.user);
  }
  complete_groups(out.user);
  return out;
}

}  // namespace orrery::server
