#pragma once

#include <vector>

#include "engine/control/garbage_collector/attempts.h"
#include "engine/control/garbage_collector/owner_graph.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct GarbageCollectorOptions : ControllerOptions {
  GarbageCollectorOptions() { workers = 20; }
};

/// Deletes what is left without owners, orphans what its owner leaves behind, and ends foreground
/// deletion when the last blocking dependent is gone, for objects of all kinds.
/// Kubernetes v1.32 pkg/controller/garbagecollector.
///
/// It hears of ownership by one watch over all kinds, so objects that own nothing, are owned by
/// nothing and are not being deleted cost it nothing. With lazy_watches it hears of nothing, and
/// keeps nothing, before the first deletion in its world.
class GarbageCollector final : public Reconciler<GarbageCollector, AttemptInputs>,
                               private AttemptEffects {
 public:
  GarbageCollector(const Env& env, const GarbageCollectorOptions& options);

  const OwnerGraph& graph() const { return graph_; }

 protected:
  void on_start(const Ctx& ctx) override;
  void on_change(const Ctx&, size_t, const Change&) override {}
  void on_own_watch(const Ctx& ctx, WatchId watch) override;
  void on_event(const Ctx& ctx, const Event& event) override;
  AttemptInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const AttemptInputs& item, WriteLog& log) override;
  void on_finished(const Ctx& ctx, const Str& key, const Status& status) override;

 private:
  void on_absent(const Identity& owner) override { graph_.absent().add(owner); }
  void on_not_found(const Identity& item) override;
  void on_blocking(const Identity& dependent) override { enqueue(dependent.uid); }
  void act_on_graph(Time now);
  void add_dependents(const OwnerGraph::Node& node, AttemptInputs& item) const;

  OwnerGraph graph_;
  WatchId watch_;
  std::vector<Identity> not_found_;  // the graph has not been told yet
  std::vector<WatchEvent> arrived_;  // kept for its memory only
};

}  // namespace orrery::control
