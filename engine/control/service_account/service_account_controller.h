#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct ServiceAccountOptions : ControllerOptions {};

struct ServiceAccountInputs {
  api::Object ns;       // null: it is gone
  api::Object account;  // null: it is missing
};

/// Sees to it that every namespace that is not being deleted has a service account "default".
/// Kubernetes v1.32 pkg/controller/serviceaccount.
class ServiceAccountController final
    : public Reconciler<ServiceAccountController, ServiceAccountInputs> {
 public:
  ServiceAccountController(const Env& env, const ServiceAccountOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  ServiceAccountInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const ServiceAccountInputs& in, WriteLog& log) override;
};

}  // namespace orrery::control
