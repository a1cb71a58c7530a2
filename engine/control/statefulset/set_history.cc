#include "engine/control/common/controller_revisions.h"
#include "engine/control/statefulset/set_revisions.h"
#include "engine/control/statefulset/set_sync.h"
#include "engine/control/statefulset/stateful_pod.h"

namespace orrery::control {

/// The update revision is the one of the present template: the newest, an older one that becomes
/// the newest again, or a new one. The current one is what the status says.
Status SetSync::find_revisions() {
  revisions_ = in_.revisions;
  sort_revisions(revisions_);
  collisions_ = set().status->collision_count.value_or(0);
  const int64_t next = max_revision_number(revisions_) + 1;
  const api::Object fresh = new_set_revision(in_.set, next, collisions_);
  const api::Object* equal = nullptr;
  for (const api::Object& revision : revisions_)
    if (same_revision(revision, fresh)) equal = &revision;
  api::Object update;
  if (equal && same_revision(revisions_.back(), *equal)) {
    update = revisions_.back();
  } else if (equal) {
    ORRERY_ASSIGN(update, renumber_revision(*equal, next, log_));
  } else {
    ORRERY_ASSIGN(update, create_revision(in_.set, fresh, collisions_, log_));
  }
  api::Object current = update;
  for (const api::Object& revision : revisions_) {
    if (revision.meta().name != set().status->current_revision) continue;
    current = revision;
    break;
  }
  update_revision_ = update;
  current_revision_ = current;
  return Status();
}

Status SetSync::drop_history() {
  if (static_cast<int64_t>(revisions_.size()) <= history_limit()) return Status();
  std::vector<Str> live;
  for (const api::Object* revision : {&current_revision_, &update_revision_})
    if (*revision) live.push_back(revision->meta().name);
  for (const api::Object& pod : claimed_) live.push_back(pod_revision(pod.get<corev1::Pod>()));
  return drop_old_revisions(revisions_, live, history_limit(), log_);
}

}  // namespace orrery::control
