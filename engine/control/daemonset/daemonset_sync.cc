#include "engine/control/daemonset/daemonset_sync.h"

#include <algorithm>

#include "engine/api/pod_util.h"
#include "engine/control/common/claim.h"

namespace orrery::control {

DaemonSetSync::DaemonSetSync(const DaemonSetInputs& in, DaemonSetMemory& memory, WriteLog& log)
    : in_(in),
      memory_(memory),
      log_(log),
      placement_(*ds().spec->template_),
      backoff_(in.backoff) {}

Status DaemonSetSync::run() {
  ORRERY_ASSIGN(selector_, api::Selector::of(ds().spec->selector.get()));
  if (selector_.empty()) {
    log_.event(in_.ds, "Warning", "SelectingAll",
               "This daemon set is selecting all pods. A non-empty selector is required.");
    return Status();
  }
  // Its revisions may be gone before its pods are, so that nothing could be told for sure.
  if (ds().metadata->deletion_timestamp) return Status();
  for (const api::Object& node : nodes()) fits_.push_back(placement_.fit(node.get<corev1::Node>()));
  if (const Status status = construct_history(); !status)
    return status.with_context("failed to construct revisions of DaemonSet");
  if (!in_.cache_caught_up) return update_status(/*observed=*/false, /*last=*/true);
  const Status updated = update();
  if (log_.pending()) return updated;
  const Status told = update_status(/*observed=*/true, /*last=*/updated.is_ok());
  return updated ? told : updated;
}

Status DaemonSetSync::update() {
  ORRERY_TRY(manage());
  if (!outstanding_ && ds().spec->update_strategy.type == "RollingUpdate") ORRERY_TRY(roll());
  if (const Status status = clean_up_history(); !status)
    return status.with_context("failed to clean up revisions of DaemonSet");
  return Status();
}

/// Pods are claimed anew whenever they are looked at, as the reference does: what was adopted
/// before is adopted again as long as the cache does not know.
Status DaemonSetSync::claim_pods(std::vector<api::Object>& pods) {
  return claim_objects(in_.ds, selector_, in_.pods, log_, pods);
}

bool DaemonSetSync::owns_all_pods() const {
  return std::all_of(in_.pods.begin(), in_.pods.end(), [&](const api::Object& pod) {
    const auto* controller = api::controller_of(pod.meta());
    return controller && controller->uid == ds().metadata->uid &&
           selector_.matches(pod.meta().labels);
  });
}

Status DaemonSetSync::place_pods() {
  if (placed_) return Status();
  std::vector<api::Object> pods;
  ORRERY_TRY(claim_pods(pods));
  pods_ = pods_by_node(pods);
  placed_ = owns_all_pods();
  return Status();
}

bool DaemonSetSync::is_available(const api::Object& pod) const {
  return api::is_pod_available(pod.get<corev1::Pod>(), ds().spec->min_ready_seconds, in_.now);
}

}  // namespace orrery::control
