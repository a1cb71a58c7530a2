#pragma once

#include "engine/api/gen/coordinationv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/base/time.h"
#include "engine/runtime/lazy_lease.h"

namespace orrery::control {

/// When passes happen: at `origin` and every `period` from then on.
struct PassGrid {
  Time origin;
  Duration period;
  Time at_or_after(Time t) const;
};

/// What is remembered of a node's health between passes.
struct NodeHealth {
  Opt<corev1::NodeCondition> ready;  // the condition Ready when it was last seen to change
  Time probed;                       // last sign of life
  Opt<Time> lease_renewed;
};

struct HealthLimits {
  Duration grace = Duration::seconds(50);          // --node-monitor-grace-period
  Duration startup_grace = Duration::seconds(60);  // --node-startup-grace-period
};

/// What a pass makes of one node.
struct HealthVerdict {
  Opt<Str> observed;           // status of Ready before the pass; Unknown if there is none
  Opt<Str> current;            // after it; absent if there is none
  bool newly_unknown = false;  // the node's conditions have to be written as Unknown
  Time silent_until;           // without a sign of life it becomes Unknown after this time
  bool renews = false;         // signs of life come without writes
  /// A heartbeat in the status has made it forget the lease: the next pass takes it for renewed.
  bool lease_counts_next = false;
};

/// Takes note of signs of life (a heartbeat in the status, a lease renewed) and judges.
/// `grid` says when a lazily renewed lease would have been seen.
/// Kubernetes v1.32 pkg/controller/nodelifecycle, tryUpdateNodeHealth.
HealthVerdict judge_health(const corev1::Node& node, const coordinationv1::Lease* lease,
                           const HealthLimits& limits, const PassGrid& grid, Time now,
                           Opt<NodeHealth>& health);

/// Sets the conditions that the kubelet posts to Unknown.
void mark_unknown(corev1::Node& node, Time now);

}  // namespace orrery::control
