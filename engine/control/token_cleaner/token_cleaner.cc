#include "engine/control/token_cleaner/token_cleaner.h"

#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr size_t kSecrets = 0;

// nullopt: it does not expire. What cannot be read has expired.
std::optional<Time> expiration(const corev1::Secret& secret) {
  const auto* text = secret.data.find("expiration");
  if (!text || text->empty()) return std::nullopt;
  const auto time = api::parse_time(*text);
  return time.is_ok() ? time->time() : Time{0};
}

}  // namespace

TokenCleaner::TokenCleaner(const Env& env, const TokenCleanerOptions& options) : Reconciler(env, "token-cleaner", options) {
  add_informer({&kind_of<corev1::Secret>(), "kube-system", {}, "type=bootstrap.kubernetes.io/token"});
}

void TokenCleaner::on_change(const Ctx&, size_t, const Change& change) {
  if (change.after) enqueue(api::object_key(change.after.meta()));
}

TokenCleanerInputs TokenCleaner::gather(const Ctx& ctx, const Str& key) {
  const api::Object* secret = informer(kSecrets).find(key.view());
  return {ctx.now, secret ? *secret : api::Object()};
}

Status TokenCleaner::sync(const TokenCleanerInputs& in, WriteLog& log) {
  if (!in.secret) return Status();
  const auto ends = expiration(in.secret.get<corev1::Secret>());
  if (!ends) return Status();
  if (*ends > in.now) {
    log.requeue_after(*ends - in.now);
    return Status();
  }
  const ApiResponse& gone = log.call([&] {
    ApiDeleteOptions options;
    options.uid = in.secret.meta().uid;
    return delete_request(kind_of<corev1::Secret>(), in.secret.meta().namespace_, in.secret.meta().name, options);
  });
  const bool too_late = gone.status.code() == Code::kNotFound || gone.status.code() == Code::kConflict;
  return too_late && !log.pending() ? Status() : gone.status;
}

}  // namespace orrery::control
