#include "engine/control/node_lifecycle/node_health.h"

#include <algorithm>

#include "engine/api/pod_resources.h"

namespace orrery::control {
namespace {

constexpr std::string_view kUnknown = "Unknown";

void set_unknown(corev1::NodeStatus& status, std::string_view type, const api::Timestamp& created,
                 Time now) {
  for (size_t i = 0; i < status.conditions.size(); ++i) {
    if (status.conditions[i].type != type) continue;
    if (status.conditions[i].status == kUnknown) return;
    corev1::NodeCondition& condition = status.conditions.mut(i);
    condition.status = kUnknown;
    condition.reason = "NodeStatusUnknown";
    condition.message = "Kubelet stopped posting node status.";
    condition.last_transition_time = api::Timestamp::whole_seconds(now);
    return;
  }
  corev1::NodeCondition condition;
  condition.type = type;
  condition.status = kUnknown;
  condition.reason = "NodeStatusNeverUpdated";
  condition.message = "Kubelet never posted node status.";
  condition.last_heartbeat_time = created;
  condition.last_transition_time = api::Timestamp::whole_seconds(now);
  status.conditions.push_back(std::move(condition));
}

/// Takes note of the node's status. Without a condition Ready the node counts from its creation.
void note_status(const corev1::Node& node, const corev1::NodeCondition* ready, Time now,
                 Opt<NodeHealth>& health) {
  const bool known = health.has_value();
  const Time created = node.metadata->creation_timestamp.time();
  if (!ready) {
    if (!known) health = NodeHealth{{}, created, {}};
    health.value.ready.reset();
    return;
  }
  const bool heartbeat =
      !known || !health->ready || health->ready->last_heartbeat_time != ready->last_heartbeat_time;
  if (heartbeat) health = NodeHealth{*ready, now, {}};
}

/// A lease seen to be renewed is a sign of life, whatever the status says.
void note_lease(const Opt<LeaseRenewal>& renewal, const Opt<Time>& renewed_before,
                const PassGrid& grid, Time now, NodeHealth& health) {
  if (!renewal || (renewed_before && *renewed_before >= renewal->at)) return;
  health.lease_renewed = renewal->at;
  const bool unseen = renewal->lazy && renewed_before;
  health.probed =
      unseen ? std::max(health.probed, std::min(now, grid.at_or_after(renewal->at))) : now;
}

}  // namespace

Time PassGrid::at_or_after(Time t) const {
  if (t <= origin) return origin;
  return origin + period * (((t - origin).ns + period.ns - 1) / period.ns);
}

HealthVerdict judge_health(const corev1::Node& node, const coordinationv1::Lease* lease,
                           const HealthLimits& limits, const PassGrid& grid, Time now,
                           Opt<NodeHealth>& health) {
  const corev1::NodeCondition* ready = api::find_condition(*node.status, "Ready");
  const Opt<Time> renewed_before = health ? health->lease_renewed : Opt<Time>();
  note_status(node, ready, now, health);
  const Opt<LeaseRenewal> renewal = lease_renewal(lease, now);
  note_lease(renewal, renewed_before, grid, now, health.value);
  HealthVerdict verdict;
  verdict.observed = ready ? ready->status : Str(kUnknown);
  if (ready) verdict.current = ready->status;
  verdict.renews = renewal && renewal->goes_on;
  verdict.lease_counts_next = renewal && !health->lease_renewed;
  verdict.silent_until = health->probed + (ready ? limits.grace : limits.startup_grace);
  if (now <= verdict.silent_until) return verdict;
  verdict.newly_unknown = !ready || ready->status != kUnknown;
  verdict.current = Str(kUnknown);
  if (!verdict.newly_unknown) return verdict;
  corev1::Node marked = node;
  mark_unknown(marked, now);
  health.value.ready = *api::find_condition(*marked.status, "Ready");
  if (renewal) health.value.lease_renewed = renewal->at;
  return verdict;
}

void mark_unknown(corev1::Node& node, Time now) {
  for (const std::string_view type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"})
    set_unknown(node.status.mut(), type, node.metadata->creation_timestamp, now);
}

}  // namespace orrery::control
