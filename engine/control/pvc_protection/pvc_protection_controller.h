#pragma once

#include <span>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct PvcProtectionOptions : ControllerOptions {
  PvcProtectionOptions() { workers = 1; }
};

/// What one sync looks at: the claim (null: it is gone), and whether a pod in the cache uses it.
struct PvcProtectionInputs {
  api::Object claim;
  bool used = false;
};

/// A pod that is on a node needs the claim still.
bool uses_claim(const corev1::Pod& pod, const corev1::PersistentVolumeClaim& claim);
Status sync_pvc_protection(const PvcProtectionInputs& in, WriteLog& log);

/// Keeps claims that pods use from going (finalizer kubernetes.io/pvc-protection); before it lets
/// one go it asks the API for pods that its cache has not seen yet.
/// Kubernetes v1.32 pkg/controller/volume/pvcprotection.
class PvcProtectionController final
    : public Reconciler<PvcProtectionController, PvcProtectionInputs> {
 public:
  PvcProtectionController(const Env& env, const PvcProtectionOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  PvcProtectionInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const PvcProtectionInputs& in, WriteLog& log) override {
    return sync_pvc_protection(in, log);
  }

 private:
  enum Informers : size_t { kClaims, kPods };
  enum PodIndex : size_t { kPodsWithClaims };

  void claim_changed(const api::Object& claim);
  void pod_changed(const Change& change);
};

}  // namespace orrery::control
