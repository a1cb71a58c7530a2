#include "engine/control/service_account_token/service_account_token_controller.h"

#include "engine/control/common/write_fresh.h"
#include "engine/runtime/json_web_token.h"

namespace orrery::control {
namespace {

constexpr size_t kSecrets = 0, kAccounts = 1, kByNamespace = 0;
const Str kNameAnnotation = Str::literal("kubernetes.io/service-account.name");
const Str kUidAnnotation = Str::literal("kubernetes.io/service-account.uid");
const Str kCa = Str::literal("ca.crt"), kNamespace = Str::literal("namespace"), kToken = Str::literal("token");

Str annotation(const api::Object& object, const Str& name) {
  const Str* value = object.meta().annotations.find(name);
  return value ? *value : Str();
}

/// The account that the secret names: that of its uid, if it names one.
bool belongs_to(const api::Object& secret, const api::Object& account) {
  const Str uid = annotation(secret, kUidAnnotation);
  return account.meta().name == annotation(secret, kNameAnnotation) && (uid.empty() || uid == account.meta().uid);
}

/// Source of the claims: Kubernetes v1.32 pkg/serviceaccount/legacy.go LegacyClaims.
api::Json claims_of(const api::Object& secret, const api::Object& account) {
  const auto& meta = account.meta();
  api::Json claims = api::Json::object();
  claims.set("iss", "kubernetes/serviceaccount");
  claims.set("kubernetes.io/serviceaccount/namespace", meta.namespace_);
  claims.set("kubernetes.io/serviceaccount/secret.name", secret.meta().name);
  claims.set("kubernetes.io/serviceaccount/service-account.name", meta.name);
  claims.set("kubernetes.io/serviceaccount/service-account.uid", meta.uid);
  claims.set("sub", str_cat("system:serviceaccount:", meta.namespace_, ":", meta.name));
  return claims;
}

}  // namespace

ServiceAccountTokenController::ServiceAccountTokenController(const Env& env,
                                                             const ServiceAccountTokenOptions& options)
    : Reconciler(env, "tokens-controller", options), signer_(options.signer), root_ca_pem_(options.root_ca_pem) {
  add_informer({&kind_of<corev1::Secret>(), {}, {}, "type=kubernetes.io/service-account-token"}, {index_by_namespace});
  add_informer({&kind_of<corev1::ServiceAccount>(), {}, {}, {}});
}

void ServiceAccountTokenController::on_change(const Ctx&, size_t number, const Change& change) {
  const api::Object& object = change.newest();
  if (number == kSecrets) return enqueue(api::object_key(object.meta()));
  if (change.before && change.after) return;
  informer(kSecrets).for_each_in(kByNamespace, object.meta().namespace_, [&](const api::Object& secret) {
    if (belongs_to(secret, object)) enqueue(api::object_key(secret.meta()));
  });
}

ServiceAccountTokenInputs ServiceAccountTokenController::gather(const Ctx&, const Str& key) {
  ServiceAccountTokenInputs in;
  const api::Object* secret = informer(kSecrets).find(key.view());
  if (!secret) return in;
  in.secret = *secret;
  const api::Object* account = informer(kAccounts).find(secret->meta().namespace_, annotation(*secret, kNameAnnotation));
  if (account && belongs_to(*secret, *account)) in.account = *account;
  return in;
}

Status ServiceAccountTokenController::sync(const ServiceAccountTokenInputs& in, WriteLog& log) {
  if (!in.secret || in.secret.meta().deletion_timestamp) return Status();
  if (in.account) return fill(in.secret, in.account, log);
  // The cache of accounts may be behind.
  const Str ns = in.secret.meta().namespace_, name = annotation(in.secret, kNameAnnotation);
  const ApiResponse& found = log.call([&] { return get_request(kind_of<corev1::ServiceAccount>(), ns, name); });
  if (found.status && belongs_to(in.secret, found.object)) return fill(in.secret, found.object, log);
  if (log.pending() || (!found.status && found.status.code() != Code::kNotFound)) return found.status;
  const Status& gone = log.call([&] {
    ApiDeleteOptions options;
    options.uid = in.secret.meta().uid;
    return delete_request(kind_of<corev1::Secret>(), ns, in.secret.meta().name, options);
  }).status;
  const bool too_late = gone.code() == Code::kNotFound || gone.code() == Code::kConflict;
  return too_late && !log.pending() ? Status() : gone;
}

Status ServiceAccountTokenController::fill(const api::Object& secret, const api::Object& account,
                                           WriteLog& log) const {
  const auto lacks = [](const corev1::Secret& of, const Str& member) {
    const Str* value = of.data.find(member);
    return !value || value->empty();
  };
  Status failure;
  const Status written = write_fresh(secret, "", log, [&](api::Object& object) {
    const auto& now = object.get<corev1::Secret>();
    const Str* ca = now.data.find(kCa);
    const bool other_ca = !root_ca_pem_.empty() && (!ca || *ca != root_ca_pem_);
    if (!other_ca && !lacks(now, kNamespace) && !lacks(now, kToken)) return false;
    auto& filled = object.mut<corev1::Secret>();
    if (other_ca) filled.data.set(kCa, {root_ca_pem_, true});
    if (lacks(filled, kNamespace)) filled.data.set(kNamespace, {object.meta().namespace_, true});
    if (lacks(filled, kToken)) {
      auto token = signed_token(claims_of(object, account), *signer_);
      failure = token.status();
      if (!token.is_ok()) return false;
      filled.data.set(kToken, {*token, true});
    }
    filled.metadata.mut().annotations.set(kNameAnnotation, account.meta().name);
    filled.metadata.mut().annotations.set(kUidAnnotation, account.meta().uid);
    return true;
  });
  return failure.is_ok() ? written : failure;
}

}  // namespace orrery::control
