#include "engine/server/auth/token_request.h"

#include "engine/api/gen/authenticationv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/server/auth/service_account_token.h"

namespace orrery::server {
namespace {

namespace authn = authenticationv1;

constexpr int64_t kDefaultSeconds = 3600;
constexpr int64_t kMinSeconds = 600;
constexpr int64_t kMaxSeconds = int64_t{1} << 32;
// What kubelets ask for projected tokens: such tokens live for a year, and warn after that time.
constexpr int64_t kWarnOnlySeconds = 3607;
constexpr int64_t kExtendedSeconds = int64_t{365} * 24 * 3600;

/// A token request on its way.
struct Issue {
  std::string_view ns, account;
  const TokenRequestOptions& options;
  const ObjectReader& objects;
  TokenClaims claims;
};

Refusal invalid_request(FieldErrors errors, std::string_view name) {
  return invalid_refusal("authentication.k8s.io", "TokenRequest", name, errors);
}

Refusal check_metadata(const metav1::ObjectMeta& meta, const Issue& issue) {
  if (!meta.name.empty() && meta.name != issue.account)
    return invalid_request(
        {FieldError::invalid("metadata.name", api::quoted(meta.name),
                             "must match the service account name if specified")},
        issue.account);
  if (!meta.namespace_.empty() && meta.namespace_ != issue.ns)
    return invalid_request(
        {FieldError::invalid("metadata.namespace", api::quoted(meta.namespace_),
                             "must match the service account namespace if specified")},
        issue.account);
  return {};
}

Refusal check_expiration(int64_t seconds) {
  const std::string field = "spec.expirationSeconds", value = std::to_string(seconds);
  if (seconds < kMinSeconds)
    return invalid_request(
        {FieldError::invalid(field, value, "may not specify a duration less than 10 minutes")}, "");
  if (seconds > kMaxSeconds)
    return invalid_request(
        {FieldError::invalid(field, value, "may not specify a duration larger than 2^32 seconds")},
        "");
  return {};
}

// The object of a reference; a refusal if it is of no kind that tokens are bound to. Upstream looks at
// the group only.
const api::KindDesc* bound_kind(const authn::BoundObjectReference& ref) {
  if (ref.api_version.view().find('/') != std::string_view::npos) return nullptr;
  for (const auto* type :
       {&corev1::Pod::descriptor(), &corev1::Secret::descriptor(), &corev1::Node::descriptor()})
    if (type->kind->kind == ref.kind) return type->kind;
  return nullptr;
}

std::string group_version_kind(const authn::BoundObjectReference& ref) {
  const std::string_view version = ref.api_version.view();
  const std::string group_version =
      version.find('/') == version.npos ? str_cat("/", version) : std::string(version);
  return str_cat(group_version, ", Kind=", ref.kind);
}

Refusal bind_pod(Issue& issue, const api::Object& object) {
  const auto& pod = object.get<corev1::Pod>();
  if (pod.spec->service_account_name != issue.account)
    return plain_refusal(bad_request(str_cat(
        "cannot bind token for serviceaccount ", api::quoted(issue.account),
        " to pod running with different serviceaccount name.")));
  issue.claims.pod = {pod.metadata->name, pod.metadata->uid};
  const Str& node_name = pod.spec->node_name;
  if (node_name.empty()) return {};
  const api::Object node = issue.objects.find(*corev1::Node::descriptor().kind, "", node_name);
  issue.claims.node = {node_name, node ? node.meta().uid : Str()};
  return {};
}

Refusal bind(Issue& issue, const authn::BoundObjectReference& ref) {
  const api::KindDesc* kind = bound_kind(ref);
  if (kind == nullptr)
    return plain_refusal(
        bad_request(str_cat("cannot bind token to object of type ", group_version_kind(ref))));
  const api::Object object = issue.objects.find(*kind, kind->namespaced ? issue.ns : "", ref.name);
  if (!object) return not_found("", kind->plural, ref.name);
  const Str& uid = object.meta().uid;
  if (kind->kind == "Pod") {
    if (Refusal refusal = bind_pod(issue, object); !refusal.is_ok()) return refusal;
  } else {
    (kind->kind == "Secret" ? issue.claims.secret : issue.claims.node) = {ref.name, uid};
  }
  if (ref.uid.empty() || ref.uid == uid) return {};
  return {
      Status(
          Code::kConflict,
          str_cat("Operation cannot be fulfilled on ", kind->kind, " ", api::quoted(ref.name),
                  ": the UID in the bound object reference (", ref.uid,
                  ") does not match the UID in record. The object might have been deleted and then "
                  "recreated")),
      {},
      Str(kind->kind),
      ref.name,
      {}};
}

void set_claims(Issue& issue, const authn::TokenRequestSpec& spec, const api::Object& account,
                Time now) {
  TokenClaims& claims = issue.claims;
  claims.issuer = issue.options.issuer;
  claims.subject = str_cat("system:serviceaccount:", issue.ns, ":", issue.account);
  claims.audiences = spec.audiences;
  claims.issued_at = claims.not_before = now.unix_seconds();
  claims.expires_at = claims.issued_at + *spec.expiration_seconds;
  claims.ns = issue.ns;
  claims.service_account = {account.meta().name, account.meta().uid};
  const bool extend = issue.options.extend_expiration && !claims.pod.empty() &&
                      *spec.expiration_seconds == kWarnOnlySeconds &&
                      spec.audiences == issue.options.audiences;
  if (!extend) return;
  claims.warn_after = claims.expires_at;
  claims.expires_at = claims.issued_at + kExtendedSeconds;
}

}  // namespace

void default_token_request(api::Object& request) {
  const auto& spec = *request.get<authn::TokenRequest>().spec;
  if (!spec.expiration_seconds)
    request.mut<authn::TokenRequest>().spec.mut().expiration_seconds = kDefaultSeconds;
}

Review request_token(const api::Object& request, std::string_view ns, std::string_view name, Str id,
                     const TokenRequestOptions& options, const TokenSigner& signer,
                     const ObjectReader& objects, Time now) {
  Issue issue{ns, name, options, objects, {}};
  issue.claims.id = std::move(id);
  Review review{{}, request};
  default_token_request(review.object);
  auto& out = review.object.mut<authn::TokenRequest>();
  if (Refusal refusal = check_metadata(*out.metadata, issue); !refusal.is_ok())
    return {refusal, {}};
  if (!objects.find(*corev1::Namespace::descriptor().kind, "", ns)) return {not_found("", "namespaces", ns), {}};
  const api::Object account = objects.find(*corev1::ServiceAccount::descriptor().kind, ns, name);
  if (!account) return {not_found("", "serviceaccounts", name), {}};
  authn::TokenRequestSpec& spec = out.spec.mut();
  if (spec.audiences.empty()) spec.audiences = options.audiences;
  metav1::ObjectMeta& meta = out.metadata.mut();
  meta.name = name;
  meta.namespace_ = ns;
  meta.uid = Str();
  meta.creation_timestamp = api::Timestamp::whole_seconds(now);
  if (Refusal refusal = check_expiration(*spec.expiration_seconds); !refusal.is_ok())
    return {refusal, {}};
  if (spec.bound_object_ref)
    if (Refusal refusal = bind(issue, *spec.bound_object_ref); !refusal.is_ok())
      return {refusal, {}};
  if (options.max_expiration_seconds > 0 &&
      *spec.expiration_seconds > options.max_expiration_seconds)
    spec.expiration_seconds = options.max_expiration_seconds;
  set_claims(issue, spec, account, now);
  auto token = issue_token(issue.claims, signer);
  if (!token.is_ok())
    return {plain_refusal(
                internal_error(str_cat("failed to generate token: ", token.status().message()))),
            {}};
  authn::TokenRequestStatus& status = out.status.mut();
  status.token = *token;
  status.expiration_timestamp =
      api::Timestamp::whole_seconds(now + Duration::seconds(*spec.expiration_seconds));
  return review;
}

}  // namespace orrery::server
