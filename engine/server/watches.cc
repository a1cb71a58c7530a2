// Watches of one kind, from what there is on: how they begin, what they are told, how they end.
#include "engine/api/custom_object.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {

void Server::deliver(uint64_t id, WatchEvent event) {
  const auto it = watches_.find(id);
  if (it == watches_.end()) return;
  const api::KindDesc* kind = it->second.kind;
  if (kind && api::is_custom(*kind)) return deliver_custom(id, it->second, std::move(event));
  hand_over(id, it->second, std::move(event));
}

void Server::hand_over(uint64_t id, WatchEvent event) {
  const auto it = watches_.find(id);
  if (it != watches_.end()) hand_over(id, it->second, std::move(event));
}

void Server::hand_over(uint64_t id, Watch& watch, WatchEvent event) {
  watch.pending.push_back(std::move(event));
  if (watch.pending.size() == 1) lanes_->post(watch.lane, {EventKind::kWatch, 0, id, 0});
}

WatchId Server::watch(LaneId lane, const WatchSpec& spec) {
  if (!spec.kind && spec.from_first_deletion) {
    // A number apart, so that those of other watches do not depend on it.
    const uint64_t id = UINT64_MAX - await_deletion_.size();
    watches_[id] = {lane, nullptr, {}, false};
    await_deletion_.push_back(id);
    return WatchId{id};
  }
  const uint64_t id = next_watch_++;
  watches_[id] = {lane, spec.kind, {}, false};
  unborn_watches_[id] = spec;
  if (ready_) lanes_->post(lane_, {EventKind::kUser, kBeginWatch, id, 0});
  return WatchId{id};
}

void Server::begin_watch(uint64_t id) {
  const auto it = unborn_watches_.find(id);
  if (it == unborn_watches_.end()) return;
  const WatchSpec spec = it->second;
  unborn_watches_.erase(it);
  if (!spec.kind) return begin_ownership_watch(id);
  auto selection = Selection::make(*spec.kind, spec.ns, spec.label_selector, spec.field_selector);
  if (!selection.is_ok()) {
    WatchEvent failed;
    failed.type = WatchEventType::kError;
    failed.error = selection.status();
    return deliver(id, std::move(failed));
  }
  WatchCache& cache = caches_[storage_kind(*spec.kind).id];
  if (spec.after_revision > 0) {
    std::vector<WatchEvent> missed;
    if (!cache.replay(*selection, spec.after_revision, missed)) {
      WatchEvent failed;
      failed.type = WatchEventType::kError;
      failed.error = Status(Code::kExpired, str_cat("too old resource version: ", spec.after_revision, " (",
                                                    cache.history_begin(), ")"));
      return deliver(id, std::move(failed));
    }
    for (WatchEvent& event : missed) deliver(id, std::move(event));
  } else {
    for (api::Object& object : cache.list(*selection)) deliver(id, {WatchEventType::kAdded, std::move(object), {}});
  }
  deliver(id, {WatchEventType::kSynced, {}, {}, revision_});
  cache.add_watch(id, std::move(*selection), spec.after_revision);
}

void Server::drain(WatchId watch, std::vector<WatchEvent>& out) {
  const auto it = watches_.find(watch.value);
  if (it == watches_.end()) return;
  auto& pending = it->second.pending;
  if (out.empty()) {
    out.swap(pending);
    return;
  }
  out.insert(out.end(), std::make_move_iterator(pending.begin()), std::make_move_iterator(pending.end()));
  forget(pending);
}

void Server::unwatch(WatchId watch) {
  const auto it = watches_.find(watch.value);
  if (it == watches_.end()) return;
  if (it->second.kind) caches_[storage_kind(*it->second.kind).id].remove_watch(watch.value);
  std::erase(ownership_, watch.value);
  std::erase(await_deletion_, watch.value);
  unborn_watches_.erase(watch.value);
  watches_.erase(it);
}

}  // namespace orrery::server
