#pragma once

#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

/// --concurrent-ephemeralvolume-syncs is 5, as the workers of controllers are.
struct EphemeralVolumeOptions : ControllerOptions {};

/// A pod (null: there is nothing to do for it), and the claims that exist of its volumes: by
/// volume, null where there is none.
struct EphemeralVolumeInputs {
  api::Object pod;
  std::vector<api::Object> claims;
};

/// Makes the claims of pods' ephemeral volumes; pods own them. A claim of that name that is not the
/// pod's is an error that the pod's events tell.
/// Kubernetes v1.32 pkg/controller/volume/ephemeral.
class EphemeralVolumeController final
    : public Reconciler<EphemeralVolumeController, EphemeralVolumeInputs> {
 public:
  EphemeralVolumeController(const Env& env, const EphemeralVolumeOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  EphemeralVolumeInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const EphemeralVolumeInputs& in, WriteLog& log) override;

 private:
  enum Informers : size_t { kPods, kClaims };
  enum PodIndex : size_t { kPodsWithClaims };
};

}  // namespace orrery::control
