#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct PvProtectionOptions : ControllerOptions {
  PvProtectionOptions() { workers = 1; }
};

/// What one sync looks at; null: it is gone.
struct PvProtectionInputs {
  api::Object volume;
};

Status sync_pv_protection(const PvProtectionInputs& in, WriteLog& log);

/// Keeps volumes that are bound from going (finalizer kubernetes.io/pv-protection).
/// Kubernetes v1.32 pkg/controller/volume/pvprotection.
class PvProtectionController final : public Reconciler<PvProtectionController, PvProtectionInputs> {
 public:
  PvProtectionController(const Env& env, const PvProtectionOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  PvProtectionInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const PvProtectionInputs& in, WriteLog& log) override {
    return sync_pv_protection(in, log);
  }
};

}  // namespace orrery::control
