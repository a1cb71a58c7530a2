#pragma once

#include "engine/control/statefulset/set_pods.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct StatefulSetOptions : ControllerOptions {};

/// Keeps pods with names, order and claims of their own. Kubernetes v1.32
/// pkg/controller/statefulset, with its feature gates at their defaults: one pod at a time is
/// unavailable in an update (MaxUnavailableStatefulSet is off).
class StatefulSetController final : public Reconciler<StatefulSetController, StatefulSetInputs> {
 public:
  StatefulSetController(const Env& env, const StatefulSetOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  StatefulSetInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const StatefulSetInputs& in, WriteLog& log) override;

 private:
  enum Informers : size_t { kSets, kPods, kRevisions, kClaims };
  enum SetIndex : size_t { kSetsByNamespace };
  enum PodIndex : size_t { kPodsByController, kOrphanPods };
  enum RevisionIndex : size_t { kRevisionsByController, kOrphanRevisions };

  void pod_changed(const Change& change);
  void pod_updated(const api::Object& before, const api::Object& after);
  void orphan_changed(const api::Object& pod);
  /// The set that controls the pod, if it is in the cache.
  const api::Object* resolve(const api::Object& pod) const;
  void enqueue_owner(const api::Object& pod);
  void list_pods(StatefulSetInputs& in) const;
  void list_revisions(StatefulSetInputs& in) const;
  void list_claims(StatefulSetInputs& in) const;
};

}  // namespace orrery::control
