#pragma once

#include <map>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct TaintEvictionOptions : ControllerOptions {};

/// How long the tolerations that a pod makes use of let it stay: the shortest of their times, 0 if
/// there are none; absent: for ever.
/// Kubernetes v1.32 pkg/controller/tainteviction, getMinTolerationTime.
Opt<Duration> toleration_time(const List<corev1::Toleration>& used);

struct EvictionInputs {
  Time now;
  Str key;
  api::Object pod;  // null: nothing to do
};

/// Deletes pods from nodes with NoExecute taints, as soon as their tolerations say.
/// Kubernetes v1.32 pkg/controller/tainteviction.
class TaintEvictionController final : public Reconciler<TaintEvictionController, EvictionInputs> {
 public:
  TaintEvictionController(const Env& env, const TaintEvictionOptions& options);

  /// When the pod ("namespace/name") is going to be deleted, if it is.
  Opt<Time> scheduled(const Str& key) const;

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  EvictionInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const EvictionInputs& in, WriteLog& log) override;
  void on_finished(const Ctx& ctx, const Str& key, const Status& status) override;

 private:
  enum Informers : size_t { kNodes, kPods };
  enum PodIndex : size_t { kPodsByNode };
  static constexpr uint32_t kRetriesMax = 5;
  struct Eviction {
    Time asked;
    Time due;
    bool done = false;  // deleted: not to be asked for again
  };

  void node_changed(Time now, const Change& change);
  void pod_changed(Time now, const Change& change);
  void judge(Time now, const api::Object& pod, const List<corev1::Taint>& taints);
  void schedule(const Str& key, Time now, Duration after);
  void cancel(Time now, const api::Object& pod);

  std::map<Str, Eviction> evictions_;  // by key of the pod
};

}  // namespace orrery::control
