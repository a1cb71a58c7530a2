#pragma once

#include "engine/control/disruption/budget_sync.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct DisruptionOptions : ControllerOptions {
  DisruptionOptions() { workers = 1; }
};

/// What a sync is about: a budget, or a pod whose DisruptionTarget condition may be stale.
struct DisruptionInputs {
  BudgetInputs budget;
  api::Object pod;
};

/// Keeps the status of PodDisruptionBudgets up to date: how many pods may be evicted now. Pods and
/// workloads are watched from the first budget on. Takes back the DisruptionTarget condition of
/// pods that nobody has deleted. Kubernetes v1.32 pkg/controller/disruption.
class DisruptionController final : public Reconciler<DisruptionController, DisruptionInputs> {
 public:
  DisruptionController(const Env& env, DisruptionOptions options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  DisruptionInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const DisruptionInputs& in, WriteLog& log) override;

 private:
  void enqueue_budgets_of(const api::Object& pod);
  void enqueue_stale(const Ctx& ctx, const api::Object& pod);
  void gather_pods(BudgetInputs& in) const;
  void gather_controllers(BudgetInputs& in) const;
  const api::Object* find_workload(const api::KindDesc& kind, const Str& ns,
                                   const Str& name) const;
};

}  // namespace orrery::control
