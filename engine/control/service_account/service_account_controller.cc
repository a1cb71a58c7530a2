#include "engine/control/service_account/service_account_controller.h"

#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr size_t kNamespaces = 0;
constexpr size_t kAccounts = 1;
const Str kDefault = Str::literal("default");

}  // namespace

ServiceAccountController::ServiceAccountController(const Env& env,
                                                   const ServiceAccountOptions& options)
    : Reconciler(env, "serviceaccount-controller", options) {
  add_informer({&kind_of<corev1::Namespace>(), {}, {}, {}});
  add_informer({&kind_of<corev1::ServiceAccount>(), {}, {}, "metadata.name=default"});
}

void ServiceAccountController::on_change(const Ctx&, size_t informer, const Change& change) {
  const api::Object& object = change.after ? change.after : change.before;
  enqueue(informer == kNamespaces ? object.meta().name : object.meta().namespace_);
}

ServiceAccountInputs ServiceAccountController::gather(const Ctx&, const Str& key) {
  const api::Object* ns = informer(kNamespaces).find(key);
  const api::Object* account = informer(kAccounts).find(api::object_key(key, kDefault));
  return {ns ? *ns : api::Object(), account ? *account : api::Object()};
}

Status ServiceAccountController::sync(const ServiceAccountInputs& in, WriteLog& log) {
  if (!in.ns || in.account || in.ns.meta().deletion_timestamp) return Status();
  if (in.ns.get<corev1::Namespace>().status->phase == "Terminating") return Status();
  const ApiResponse& made = log.call_last([&] {
    corev1::ServiceAccount account;
    account.metadata.mut().name = kDefault;
    account.metadata.mut().namespace_ = in.ns.meta().name;
    return create_request(api::Object::of(std::move(account)));
  });
  return made.status.code() == Code::kAlreadyExists ? Status() : made.status;
}

}  // namespace orrery::control
