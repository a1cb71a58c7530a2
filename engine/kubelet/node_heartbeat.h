#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/ports/api.h"

namespace orrery::kubelet {

/// How a kubelet shows that its node is alive.
struct HeartbeatOptions {
  /// Writes every renewal of the lease. Without it a lease says by an annotation that it is renewed
  /// as time passes, and is written when that begins and ends: no events while nothing happens.
  bool write_every_lease = false;
  /// From the start to the first renewal, less than kLeasePeriod: kubelets do not renew in step.
  Duration lease_phase;
};

/// The conditions that a healthy kubelet posts.
List<corev1::NodeCondition> healthy_conditions(Time now);

/// A node's lease (renewed every 10 s, of 40 s) and its conditions in node.status, which are posted
/// when the kubelet comes back. Plain copyable state.
class NodeHeartbeat {
 public:
  static constexpr Duration kLeasePeriod = Duration::seconds(10);

  NodeHeartbeat(Str node, const HeartbeatOptions& options) : node_(node), options_(options) {}

  /// The kubelet begins; the node exists.
  void start(Api& api, Time now);
  /// The kubelet is cut off. What a lazy lease stands for is written down.
  void stop(Api& api, Time now);
  void resume(Api& api, Ticket node_read, Time now);
  /// The node, as read by resume() or after a conflict: posts its conditions.
  void post_conditions(Api& api, Ticket posted, const api::Object& node, Time now) const;
  /// When renew() is to be called next; Time::max() for never.
  Time next_renewal(Time now) const;
  void renew(Api& api, Time now);

  /// As of `now`.
  Time last_renewal(Time now) const;

 private:
  void patch_lease(Api& api, bool goes_on, Time renewed) const;

  Str node_;
  HeartbeatOptions options_;
  Time origin_;  // of the grid of renewals
  bool connected_ = false;
  Time stopped_;  // when the last connection ended
};

}  // namespace orrery::kubelet
