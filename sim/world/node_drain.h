#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/ports/component.h"

namespace orrery::sim {

/// `kubectl drain NODE` at some time: the node is cordoned, its pods are evicted, and those whose
/// disruption budget says no are tried again every 5 s. Pods of DaemonSets stay.
/// Source: kubectl v1.32 pkg/drain.
class NodeDrain final : public Component {
 public:
  NodeDrain(const Env& env, const Str& node, Time at);
  std::unique_ptr<Component> clone(const Env& env) const override;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

 private:
  void on_done(uint64_t op, const ApiResponse& response, Time now);
  void evict(size_t pod);

  Timers* timers_;
  Api* api_;
  LaneId lane_;
  Str node_;
  std::vector<std::pair<Str, Str>> pods_;  // namespace and name
};

}  // namespace orrery::sim
