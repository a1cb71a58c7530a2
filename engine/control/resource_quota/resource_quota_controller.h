#pragma once

#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct ResourceQuotaOptions : ControllerOptions {};

struct ResourceQuotaInputs {
  Time now;
  api::Object quota;                           // null: it is gone
  std::vector<const api::KindDesc*> counted;   // kinds of which the quota counts something
};

/// Keeps the status of quotas: the limits that hold, and what the objects of the namespace use.
/// Admission charges what is made; this controller gives back what goes, and counts what was there
/// before the quota. Kubernetes v1.32 pkg/controller/resourcequota.
///
/// It keeps no copies of what it counts: from the first quota on it hears of what goes, and of
/// changes of the kinds whose use may shrink; a sync lists the kinds that its quota counts.
class ResourceQuotaController final : public Reconciler<ResourceQuotaController, ResourceQuotaInputs> {
 public:
  ResourceQuotaController(const Env& env, const ResourceQuotaOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  void on_own_watch(const Ctx& ctx, WatchId watch) override;
  void on_event(const Ctx& ctx, const Event& event) override;
  ResourceQuotaInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const ResourceQuotaInputs& in, WriteLog& log) override;

 private:
  void begin(Time now);
  void enqueue_counting(const api::Object& object);

  std::vector<WatchId> watches_;     // empty before the first quota
  std::vector<WatchEvent> arrived_;  // kept for its memory only
};

}  // namespace orrery::control
