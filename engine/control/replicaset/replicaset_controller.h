#pragma once

#include <vector>

#include "engine/control/replicaset/pod_tally.h"
#include "engine/runtime/controller.h"
#include "engine/runtime/expectations.h"

namespace orrery::control {

struct ReplicaSetOptions : ControllerOptions {
  int burst_replicas = 500;  // pods created or deleted in one sync
  /// Works on ReplicationControllers instead of ReplicaSets.
  bool replication_controllers = false;
};

/// What one sync of a ReplicaSet looks at.
struct ReplicaSetInputs {
  Time now;
  Str key;
  api::Object owner;  // as stored; null: it is gone
  api::Object rs;     // the same as a ReplicaSet
  bool selector_valid = false;
  bool cache_caught_up = false;
  /// Without `listed`, all that is known of its pods are `counts`, and there is nothing to claim or
  /// to delete; with it, `pods` are the active ones that it may claim, sorted by name.
  bool listed = false;
  PodCounts counts;
  std::vector<api::Object> pods;
  std::vector<api::Object> related;  // pods of all ReplicaSets of its owner, if it may shrink
};

/// Keeps as many pods as spec.replicas says. Kubernetes v1.32 pkg/controller/replicaset.
class ReplicaSetController final : public Reconciler<ReplicaSetController, ReplicaSetInputs> {
 public:
  ReplicaSetController(const Env& env, const ReplicaSetOptions& options);
  /// The caches have seen all writes of this controller.
  void caches_caught_up() { expectations_.clear(); }

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  ReplicaSetInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const ReplicaSetInputs& in, WriteLog& log) override;

 private:
  enum Informers : size_t { kOwners, kPods };
  enum OwnerIndex : size_t { kOwnersByNamespace, kOwnersByController };
  enum PodIndex : size_t { kPodsByController, kOrphansByNamespace, kPodsByNamespace };

  void owner_changed(const Change& change);
  void pod_added(const api::Object& pod);
  void pod_updated(const api::Object& before, const api::Object& after);
  void pod_removed(const api::Object& pod);
  void orphan_changed(const api::Object& pod);
  /// The owner that the reference names, if it is ours to look after.
  const api::Object* resolve(const api::Object& pod) const;

  void list_pods(ReplicaSetInputs& in, PodTally::Entry& entry) const;
  void list_related(ReplicaSetInputs& in) const;

  Status manage(const ReplicaSetInputs& in, std::span<const api::Object> pods, int64_t missing,
                WriteLog& log);
  Status create_pods(const ReplicaSetInputs& in, int64_t count, WriteLog& log);
  Status delete_pods(const ReplicaSetInputs& in, std::span<const api::Object> pods, int64_t count,
                     WriteLog& log);

  const api::KindDesc* kind_;
  int burst_replicas_;
  Expectations expectations_;
  PodTally tally_;
};

}  // namespace orrery::control
