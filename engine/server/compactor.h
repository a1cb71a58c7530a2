#pragma once

#include "engine/ports/component.h"
#include "engine/ports/store.h"

namespace orrery::server {

/// Has the store forget, once in each interval, what was superseded an interval ago or earlier. API
/// servers over one store agree by the version of the key `compact_rev_key`: who raises it compacts.
/// Kubernetes v1.32 apiserver/pkg/storage/etcd3/compact.go.
class Compactor final : public LaneHandler {
 public:
  static constexpr Duration kInterval = Duration::minutes(5);  // upstream's default

  /// Begins with the first event of its lane. The store outlives it. `interval`: more than 0.
  Compactor(const Env& env, Store* store, Duration interval = kInterval);
  void handle(const Ctx& ctx, const Event& event) override;

 private:
  void agree();
  void on_agreed(const StoreOutcome& outcome);

  Timers* timers_;
  Store* store_;
  Duration interval_;
  LaneId lane_;
  int64_t turn_ = 0;      // version of the key, as far as known
  int64_t revision_ = 0;  // of the store at the last turn; 0: there was none
};

}  // namespace orrery::server
