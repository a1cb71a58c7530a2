#pragma once

#include <vector>

#include "engine/control/deployment/rollout.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct DeploymentOptions : ControllerOptions {};

/// Rolls Deployments out through ReplicaSets. Kubernetes v1.32 pkg/controller/deployment.
class DeploymentController final : public Reconciler<DeploymentController, DeploymentInputs> {
 public:
  DeploymentController(const Env& env, const DeploymentOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  DeploymentInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const DeploymentInputs& in, WriteLog& log) override;
  void on_finished(const Ctx& ctx, const Str& key, const Status& status) override;

 private:
  enum Informers : size_t { kDeployments, kReplicaSets, kPods };
  enum DeploymentIndex : size_t { kDeploymentsByNamespace };
  enum ReplicaSetIndex : size_t { kByController, kOrphansByNamespace };
  enum PodIndex : size_t { kPodsByController };
  static constexpr uint32_t kRetriesMax = 15;

  void replica_set_changed(const Change& change);
  void orphan_changed(const api::Object& replica_set);
  void pod_gone(const api::Object& pod);
  /// The Deployment that controls the object, if it is in the cache.
  const api::Object* resolve(const api::Object& object) const;

  std::vector<Str> hopeless_;  // keys whose sync in flight must not be tried again
};

}  // namespace orrery::control
