#pragma once

#include "engine/control/daemonset/daemonset_sync.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct DaemonSetOptions : ControllerOptions {
  DaemonSetOptions() { workers = 2; }  // kube-controller-manager's default
};

/// Keeps a pod on each node that a DaemonSet wants one on. Kubernetes v1.32 pkg/controller/daemon.
class DaemonSetController final : public Reconciler<DaemonSetController, DaemonSetInputs> {
 public:
  DaemonSetController(const Env& env, const DaemonSetOptions& options);
  /// The caches have seen all writes of this controller.
  void caches_caught_up() { memory_.expectations.clear(); }

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  DaemonSetInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const DaemonSetInputs& in, WriteLog& log) override;

 private:
  enum Informers : size_t { kSets, kNodes, kPods, kRevisions };
  enum SetIndex : size_t { kSetsByNamespace };
  enum DependentIndex : size_t { kByController, kOrphansByNamespace };

  void set_changed(const Change& change);
  void node_changed(const Change& change);
  void pod_changed(const Change& change);
  void pod_updated(const api::Object& before, const api::Object& after);
  void pod_removed(const api::Object& pod);
  void revision_changed(const Change& change);
  void orphan_changed(const api::Object& orphan);
  /// The DaemonSet that controls the object, if it is in the cache.
  const api::Object* resolve(const api::Object& object) const;
  std::vector<api::Object> dependents(size_t informer, const api::Object& ds) const;

  DaemonSetMemory memory_;
  /// All nodes by name, as far as placement goes; null: to be gathered anew.
  std::shared_ptr<const std::vector<api::Object>> nodes_;
};

}  // namespace orrery::control
