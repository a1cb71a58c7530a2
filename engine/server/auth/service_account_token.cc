#include "engine/server/auth/service_account_token.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/runtime/json_web_token.h"
#include "engine/server/auth/authenticator.h"
#include "engine/server/auth/rbac_rules.h"

namespace orrery::server {
namespace {

using api::Json;

// Clocks may differ by so much; things deleted longer ago than this are gone (go-jose's leeway).
constexpr int64_t kLeewaySeconds = 60;

Status unauthorized(std::string message) { return Status(Code::kUnauthorized, std::move(message)); }

Json ref_json(const TokenRef& ref) {
  Json out = Json::object();
  out.set("name", ref.name);
  if (!ref.uid.empty()) out.set("uid", ref.uid);
  return out;
}

TokenRef ref_of(const Json& json) { return {json["name"].as_string(), json["uid"].as_string()}; }

Json claims_json(const TokenClaims& claims) {
  Json kubernetes = Json::object();
  kubernetes.set("namespace", claims.ns);
  kubernetes.set("serviceaccount", ref_json(claims.service_account));
  if (!claims.pod.empty()) kubernetes.set("pod", ref_json(claims.pod));
  if (!claims.secret.empty()) kubernetes.set("secret", ref_json(claims.secret));
  if (!claims.node.empty()) kubernetes.set("node", ref_json(claims.node));
  if (claims.warn_after != 0) kubernetes.set("warnafter", claims.warn_after);
  Json audiences = Json::array();
  for (const Str& audience : claims.audiences) audiences.push_back(audience);
  Json out = Json::object();
  out.set("aud", std::move(audiences));
  out.set("exp", claims.expires_at);
  out.set("iat", claims.issued_at);
  out.set("iss", claims.issuer);
  out.set("jti", claims.id);
  out.set("kubernetes.io", std::move(kubernetes));
  out.set("nbf", claims.not_before);
  out.set("sub", claims.subject);
  return out;
}

// A NumericDate: whole or fractional seconds, however far away.
int64_t seconds_of(const Json& json) {
  constexpr double kFarthest = 9e18;
  return json.is_int() ? json.as_int() : static_cast<int64_t>(std::clamp(json.as_double(), -kFarthest, kFarthest));
}

TokenClaims claims_of(const Json& json) {
  TokenClaims claims;
  claims.issuer = json["iss"].as_string();
  claims.subject = json["sub"].as_string();
  claims.id = json["jti"].as_string();
  const Json& audience = json["aud"];
  if (audience.is_string()) claims.audiences.push_back(audience.as_string());
  for (const Json& one : audience.items()) claims.audiences.push_back(one.as_string());
  claims.issued_at = seconds_of(json["iat"]);
  claims.not_before = seconds_of(json["nbf"]);
  claims.expires_at = seconds_of(json["exp"]);
  const Json& kubernetes = json["kubernetes.io"];
  claims.ns = kubernetes["namespace"].as_string();
  claims.service_account = ref_of(kubernetes["serviceaccount"]);
  claims.pod = ref_of(kubernetes["pod"]);
  claims.secret = ref_of(kubernetes["secret"]);
  claims.node = ref_of(kubernetes["node"]);
  return claims;
}

// The three parts of a compact JWS, still encoded.
struct Parts {
  std::string_view header, payload, signature, signed_text;
};
std::optional<Parts> split(std::string_view token) {
  const size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::optional<Json> json_part(std::string_view part) {
  const auto text = base64url_decode(part);
  if (!text) return std::nullopt;
  auto json = Json::parse(*text);
  if (!json.is_ok() || !json->is_object()) return std::nullopt;
  return std::move(*json);
}

Status check_signature(const Parts& parts, const TokenSigner& signer) {
  const auto header = json_part(parts.header);
  const auto signature = base64url_decode(parts.signature);
  if (!header || !signature) return unauthorized("invalid signature");
  const std::string algorithm = (*header)["alg"].as_string().str();
  const std::string key_id = (*header)["kid"].as_string().str();
  if (signer.verify(algorithm, key_id, parts.signed_text, *signature)) return Status::ok();
  const auto keys = signer.public_keys();
  const bool known = key_id.empty() || std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
                       return key.key_id == key_id;
                     });
  return unauthorized(known ? "go-jose/go-jose: error in cryptographic primitive"
                            : "invalid signature, no keys found");
}

Status check_times(const TokenClaims& claims, Time now) {
  const int64_t seconds = now.unix_seconds();
  if (claims.not_before > seconds + kLeewaySeconds)
    return unauthorized("service account token is not valid yet");
  if (claims.expires_at != 0 && claims.expires_at < seconds - kLeewaySeconds)
    return unauthorized("service account token has expired");
  if (claims.issued_at > seconds + kLeewaySeconds)
    return unauthorized(
        "service account token claims could not be validated due to unexpected validation error");
  return Status::ok();
}

bool is_gone(const api::Object& object, Time now) {
  const auto& deleted = object.meta().deletion_timestamp;
  return deleted && deleted->seconds < now.unix_seconds() - kLeewaySeconds;
}

Status check_service_account(const TokenClaims& claims, const ObjectReader& objects, Time now) {
  const TokenRef& ref = claims.service_account;
  const api::Object account =
      objects.find(*corev1::ServiceAccount::descriptor().kind, claims.ns, ref.name);
  if (!account) return unauthorized(str_cat("serviceaccounts \"", ref.name, "\" not found"));
  if (is_gone(account, now))
    return unauthorized(str_cat("service account ", claims.ns, "/", ref.name, " has been deleted"));
  if (account.meta().uid != ref.uid)
    return unauthorized(str_cat("service account UID (", account.meta().uid,
                                ") does not match claim (", ref.uid, ")"));
  return Status::ok();
}

// An object that the token is bound to; `what` is how messages begin.
struct Bound {
  const api::KindDesc& kind;
  std::string_view what;  // "Pod" and so on
  std::string_view ref;   // "pod", as in "pod ref claim"
  const TokenRef& claim;
  std::string_view ns;
};
Status check_bound(const Bound& bound, const ObjectReader& objects, Time now) {
  if (bound.claim.empty()) return Status::ok();
  const api::Object object = objects.find(bound.kind, bound.ns, bound.claim.name);
  if (!object || is_gone(object, now))
    return unauthorized("service account token has been invalidated");
  if (object.meta().uid == bound.claim.uid) return Status::ok();
  return unauthorized(str_cat(bound.what, " UID (", object.meta().uid,
                              ") does not match service account ", bound.ref, " ref claim (",
                              bound.claim.uid, ")"));
}

TokenClaims legacy_claims_of(const Json& json) {
  constexpr std::string_view kPrefix = "kubernetes.io/serviceaccount/";
  const auto claim = [&](std::string_view name) { return json[str_cat(kPrefix, name)].as_string(); };
  TokenClaims claims;
  claims.subject = json["sub"].as_string();
  claims.ns = claim("namespace");
  claims.secret.name = claim("secret.name");
  claims.service_account = {claim("service-account.name"), claim("service-account.uid")};
  return claims;
}

// A Secret marked as invalid is one that nobody has used for long.
Status check_copy(const TokenClaims& claims, std::string_view token, const ObjectReader& objects) {
  const api::Object secret = objects.find(*corev1::Secret::descriptor().kind, claims.ns, claims.secret.name);
  if (!secret || secret.meta().deletion_timestamp) return unauthorized("Token has been invalidated");
  const Str* copy = secret.get<corev1::Secret>().data.find("token");
  if (copy == nullptr || *copy != token) return unauthorized("Token does not match server's copy");
  const Str* invalid = secret.meta().labels.find("kubernetes.io/legacy-token-invalid-since");
  if (invalid != nullptr && !invalid->empty()) return unauthorized("the token has been marked invalid");
  return Status::ok();
}

ApiUser user_of(const TokenClaims& claims) {
  ApiUser user =
      service_account_user(claims.ns, claims.service_account.name, claims.service_account.uid);
  const auto extra = [&](std::string_view key, std::string_view value) {
    if (!value.empty())
      user.extra.set(Str(str_cat("authentication.kubernetes.io/", key)), {Str(value)});
  };
  if (!claims.id.empty()) extra("credential-id", str_cat("JTI=", claims.id));
  extra("pod-name", claims.pod.name);
  extra("pod-uid", claims.pod.uid);
  extra("node-name", claims.node.name);
  extra("node-uid", claims.node.uid);
  return user;
}

Status check_objects(const TokenClaims& claims, const ObjectReader& objects, Time now) {
  ORRERY_TRY(check_service_account(claims, objects, now));
  const auto& pod = *corev1::Pod::descriptor().kind;
  const auto& secret = *corev1::Secret::descriptor().kind;
  ORRERY_TRY(check_bound({secret, "secret", "secret", claims.secret, claims.ns}, objects, now));
  ORRERY_TRY(check_bound({pod, "pod", "pod", claims.pod, claims.ns}, objects, now));
  // The node of a pod's token is for information.
  if (!claims.pod.empty()) return Status::ok();
  return check_bound({*corev1::Node::descriptor().kind, "node", "node", claims.node, ""}, objects,
                     now);
}

}  // namespace

Result<Str> issue_token(const TokenClaims& claims, const TokenSigner& signer) {
  return signed_token(claims_json(claims), signer);
}

bool is_service_account_token(std::string_view token, const List<Str>& issuers) {
  const auto parts = split(token);
  if (!parts) return false;
  const auto payload = json_part(parts->payload);
  if (!payload) return false;
  const Str& issuer = (*payload)["iss"].as_string();
  return std::find(issuers.begin(), issuers.end(), issuer) != issuers.end();
}

Result<VerifiedToken> verify_token(std::string_view token, const List<Str>& audiences,
                                   const TokenSigner& signer, const ObjectReader& objects,
                                   Time now) {
  const auto parts = split(token);
  const auto payload = parts ? json_part(parts->payload) : std::nullopt;
  if (!payload) return unauthorized("not a token");
  ORRERY_TRY(check_signature(*parts, signer));
  const TokenClaims claims = claims_of(*payload);
  VerifiedToken verified;
  for (const Str& audience : claims.audiences)
    if (std::find(audiences.begin(), audiences.end(), audience) != audiences.end())
      verified.audiences.push_back(audience);
  if (verified.audiences.empty())
    return unauthorized(str_cat("token audiences ", quoted_list(claims.audiences),
                                " is invalid for the target audiences ", quoted_list(audiences)));
  ORRERY_TRY(check_times(claims, now));
  ORRERY_TRY(check_objects(claims, objects, now));
  verified.user = user_of(claims);
  return verified;
}

Result<ApiUser> verify_legacy_token(std::string_view token, const TokenSigner& signer,
                                    const ObjectReader& objects, Time now) {
  const auto parts = split(token);
  const auto payload = parts ? json_part(parts->payload) : std::nullopt;
  if (!payload) return unauthorized("not a token");
  ORRERY_TRY(check_signature(*parts, signer));
  const TokenClaims claims = legacy_claims_of(*payload);
  const TokenRef& account = claims.service_account;
  if (claims.subject.view() != str_cat("system:serviceaccount:", claims.ns, ":", account.name) || claims.ns.empty() ||
      account.name.empty() || account.uid.empty() || claims.secret.name.empty())
    return unauthorized("sub claim is invalid");
  ORRERY_TRY(check_copy(claims, token, objects));
  ORRERY_TRY(check_service_account(claims, objects, now));
  return service_account_user(claims.ns, account.name, account.uid);
}

}  // namespace orrery::server
