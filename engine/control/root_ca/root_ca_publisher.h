#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct RootCaOptions : ControllerOptions {
  Str root_ca_pem;
};

struct RootCaInputs {
  api::Object ns;          // null: it is gone
  api::Object config_map;  // null: it is missing
};

/// Keeps a ConfigMap kube-root-ca.crt with the certificate authority of the API server in every
/// namespace. Kubernetes v1.32 pkg/controller/certificates/rootcacertpublisher.
class RootCaPublisher final : public Reconciler<RootCaPublisher, RootCaInputs> {
 public:
  RootCaPublisher(const Env& env, const RootCaOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  RootCaInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const RootCaInputs& in, WriteLog& log) override;

 private:
  Str root_ca_pem_;
};

}  // namespace orrery::control
