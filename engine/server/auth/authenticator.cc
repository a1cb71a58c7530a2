#include "engine/server/auth/authenticator.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/base/ascii.h"
#include "engine/runtime/json_web_token.h"
#include "engine/server/auth/bootstrap_token.h"

namespace orrery::server {
namespace {

constexpr std::string_view kAuthenticated = "system:authenticated";
constexpr std::string_view kUnauthenticated = "system:unauthenticated";
constexpr std::string_view kInvalidToken = "invalid bearer token";
constexpr std::string_view kProtocolPrefix = "base64url.bearer.authorization.k8s.io.";

bool contains(const List<Str>& list, std::string_view item) {
  return std::any_of(list.begin(), list.end(), [&](const Str& one) { return one == item; });
}

List<Str> intersection(const List<Str>& wanted, const List<Str>& there) {
  List<Str> out;
  for (const Str& one : wanted)
    if (contains(there, one)) out.push_back(one);
  return out;
}

Authentication authenticated(ApiUser user, List<Str> audiences) {
  if (!contains(user.groups, kAuthenticated) && !contains(user.groups, kUnauthenticated))
    user.groups.push_back(kAuthenticated);
  return {std::move(user), std::move(audiences)};
}

ApiUser anonymous_user() {
  ApiUser user;
  user.name = "system:anonymous";
  user.groups = {kUnauthenticated};
  return user;
}

// The token of "Authorization: Bearer TOKEN"; "" if there is none.
std::string_view bearer_token(std::string_view header) {
  header = trimmed(header);
  const size_t space = header.find(' ');
  if (space == header.npos) return {};
  std::string scheme(header.substr(0, space));
  for (char& c : scheme) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (scheme != "bearer") return {};
  const std::string_view rest = header.substr(space + 1);
  return rest.substr(0, rest.find(' '));
}

// The token that a browser puts among the websocket protocols; "" if there is none.
std::string protocol_token(const HttpRequest& request) {
  std::string_view list = find_header(request.headers, "sec-websocket-protocol");
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view protocol = trimmed(list.substr(0, comma));
    if (protocol.starts_with(kProtocolPrefix))
      return base64url_decode(protocol.substr(kProtocolPrefix.size())).value_or("");
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return {};
}

Status unauthorized(std::string_view message) {
  return Status(Code::kUnauthorized, std::string(message));
}

}  // namespace

ApiUser service_account_user(std::string_view ns, std::string_view name, std::string_view uid) {
  ApiUser user;
  user.name = str_cat("system:serviceaccount:", ns, ":", name);
  user.uid = uid;
  user.groups = {"system:serviceaccounts", Str(str_cat("system:serviceaccounts:", ns))};
  return user;
}

Authenticator::Authenticator(AuthenticatorOptions options, const TokenSigner* signer,
                             const ObjectReader* objects)
    : options_(std::move(options)), signer_(signer), objects_(objects) {
  if (options_.api_audiences.is_nil()) options_.api_audiences = options_.issuers;
}

Result<Authentication> Authenticator::by_token(std::string_view token, const List<Str>& audiences,
                                               Time now) const {
  // Static and bootstrap tokens are good for the server's own audiences.
  const List<Str> own = intersection(audiences, options_.api_audiences);
  const bool audience_fits = !own.empty() || options_.api_audiences.empty();
  if (const ApiUser* user = options_.static_tokens.find(token); user != nullptr && audience_fits)
    return authenticated(*user, own);
  if (signer_ != nullptr && is_service_account_token(token, options_.issuers)) {
    auto verified = verify_token(token, audiences, *signer_, *objects_, now);
    if (verified.is_ok())
      return authenticated(std::move(verified->user), std::move(verified->audiences));
    return unauthorized(api::aggregate({std::string(kInvalidToken), verified.status().message()}));
  }
  if (signer_ != nullptr && audience_fits && is_service_account_token(token, {Str(kLegacyIssuer)})) {
    auto user = verify_legacy_token(token, *signer_, *objects_, now);
    if (user.is_ok()) return authenticated(std::move(*user), own);
    return unauthorized(api::aggregate({std::string(kInvalidToken), user.status().message()}));
  }
  if (options_.bootstrap_tokens && audience_fits)
    if (auto user = bootstrap_token_user(token, *objects_, now))
      return authenticated(std::move(*user), own);
  return unauthorized(kInvalidToken);
}

Result<Authentication> Authenticator::authenticate_token(std::string_view token,
                                                         const List<Str>& audiences,
                                                         Time now) const {
  return by_token(token, audiences.empty() ? options_.api_audiences : audiences, now);
}

Result<Authentication> Authenticator::authenticate(const HttpRequest& request, Time now) const {
  if (options_.client_certificates && !request.certificate_common_name.empty()) {
    ApiUser user;
    user.name = request.certificate_common_name;
    for (const std::string& group : request.certificate_organizations) user.groups.push_back(group);
    return authenticated(std::move(user), options_.api_audiences);
  }
  std::string token(bearer_token(find_header(request.headers, "authorization")));
  if (token.empty()) token = protocol_token(request);
  if (!token.empty()) {
    auto found = by_token(token, options_.api_audiences, now);
    return found.is_ok() ? std::move(found) : unauthorized("Unauthorized");
  }
  if (!options_.anonymous) return unauthorized("Unauthorized");
  return Authentication{anonymous_user(), options_.api_audiences};
}

}  // namespace orrery::server
