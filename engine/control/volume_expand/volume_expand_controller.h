#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct VolumeExpandOptions : ControllerOptions {
  VolumeExpandOptions() { workers = 10; }
};

/// A claim and the volume that it names; null: there is none.
struct VolumeExpandInputs {
  api::Object claim;
  api::Object volume;
};

/// Tells claims that ask for more than their volumes have who will expand them: the resizers of CSI
/// drivers, since no plugin of ours does. Kubernetes v1.32 pkg/controller/volume/expand.
class VolumeExpandController final : public Reconciler<VolumeExpandController, VolumeExpandInputs> {
 public:
  VolumeExpandController(const Env& env, const VolumeExpandOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  VolumeExpandInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const VolumeExpandInputs& in, WriteLog& log) override;

 private:
  enum Informers : size_t { kClaims, kVolumes };
};

}  // namespace orrery::control
