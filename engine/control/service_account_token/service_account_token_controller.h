#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/ports/token_signer.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct ServiceAccountTokenOptions : ControllerOptions {
  const TokenSigner* signer = nullptr;  // must outlive the controller
  Str root_ca_pem;                      // "": secrets get none
};

struct ServiceAccountTokenInputs {
  api::Object secret;   // null: it is gone
  api::Object account;  // null: the cache does not know it
};

/// Fills Secrets of type kubernetes.io/service-account-token with a token of their service account
/// that lives as long as they do, and deletes those whose account is gone.
/// Kubernetes v1.32 pkg/controller/serviceaccount/tokens_controller.go.
class ServiceAccountTokenController final
    : public Reconciler<ServiceAccountTokenController, ServiceAccountTokenInputs> {
 public:
  ServiceAccountTokenController(const Env& env, const ServiceAccountTokenOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  ServiceAccountTokenInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const ServiceAccountTokenInputs& in, WriteLog& log) override;

 private:
  Status fill(const api::Object& secret, const api::Object& account, WriteLog& log) const;

  const TokenSigner* signer_;
  Str root_ca_pem_;
};

}  // namespace orrery::control
