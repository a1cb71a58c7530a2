#pragma once

#include <map>
#include <set>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct PodGcOptions : ControllerOptions {
  int64_t terminated_threshold = 12500;  // --terminated-pod-gc-threshold; 0: no limit
};

/// What one pass deletes.
struct PodGcInputs {
  struct Doomed {
    api::Object pod;
    bool orphan = false;  // its node is gone, if it is gone from the API too
  };
  Time now;
  std::vector<Doomed> pods;            // in the order in which they go
  std::vector<Str> quarantined_nodes;  // to be asked for in the API, sorted
};

/// Deletes pods that nobody else will: ended ones above a threshold, those of nodes that are gone,
/// and terminating ones that no kubelet looks after. Kubernetes v1.32 pkg/controller/podgc.
///
/// Passes happen on a grid of 20 s; those for which no pod comes into question are left out.
class PodGcController final : public Reconciler<PodGcController, PodGcInputs> {
 public:
  static constexpr Duration kPeriod = Duration::seconds(20);
  static constexpr Duration kQuarantine = Duration::seconds(40);

  PodGcController(const Env& env, const PodGcOptions& options);
  /// The key of the only kind of sync: one pass.
  static Str pass_key() { return "pass"; }
  /// All ended pods, in the order in which they are deleted.
  std::vector<api::Object> terminated() const;

 protected:
  void on_start(const Ctx& ctx) override { origin_ = ctx.now; }
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  PodGcInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const PodGcInputs& in, WriteLog& log) override;
  void on_finished(const Ctx& ctx, const Str& key, const Status& status) override;

 private:
  enum Informers : size_t { kPods, kNodes, kEnded };

  bool concerns(const corev1::Pod& pod) const;
  void enqueue_pass(Time now);
  bool is_out_of_service(const Str& node) const;
  void gather_terminated(PodGcInputs& in) const;
  void gather_quarantined(PodGcInputs& in);
  Status remove(const PodGcInputs& in, const PodGcInputs::Doomed& doomed, WriteLog& log);

  int64_t terminated_threshold_;
  Time origin_;
  int64_t terminated_ = 0;             // pods in the cache
  std::map<Str, Time> missing_nodes_;  // that pods name -> since when they are known to be missing
};

}  // namespace orrery::control
