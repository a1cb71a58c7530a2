#include "engine/control/statefulset/set_sync.h"

#include "engine/control/common/claim.h"
#include "engine/control/statefulset/ordinals.h"
#include "engine/control/statefulset/set_revisions.h"

namespace orrery::control {

Status SetSync::run() {
  const auto selector = api::Selector::of(spec().selector.get());
  if (!selector) return Status();  // nothing that a retry could mend
  ORRERY_TRY(adopt_revisions(in_.set, in_.revisions, log_));
  ORRERY_TRY(claim_pods(*selector));
  Status status = find_revisions();
  if (status) status = roll_out();
  if (status_) {
    const bool last = status.is_ok() && spec().min_ready_seconds == 0 &&
                      static_cast<int64_t>(revisions_.size()) <= history_limit();
    const Status written = write_status(last);
    if (status) status = written;
  }
  std::vector<Status> failures;
  if (!status) failures.push_back(status);
  if (const Status dropped = drop_history(); !dropped) failures.push_back(dropped);
  if (!failures.empty()) return join_failures(failures);
  // minReadySeconds may pass without any change that would cause a sync.
  if (spec().min_ready_seconds > 0 && status_->available_replicas != spec().replicas.value_or(0))
    log_.requeue_after(Duration::seconds(spec().min_ready_seconds));
  return Status();
}

Status SetSync::claim_pods(const api::Selector& selector) {
  const Str& name = in_.set.meta().name;
  return claim_objects(in_.set, selector, in_.pods, log_, claimed_, {},
                       [&](const api::Object& pod) {
                         return parse_pod_name(pod.meta().name).parent == name.view();
                       });
}

}  // namespace orrery::control
