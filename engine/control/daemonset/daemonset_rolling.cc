#include <algorithm>

#include "engine/control/daemonset/daemonset_sync.h"

namespace orrery::control {
namespace {

/// The first `count` of them, none if that is negative.
std::span<const Str> first_of(const std::vector<Str>& names, int64_t count) {
  const auto kept = std::clamp<int64_t>(count, 0, static_cast<int64_t>(names.size()));
  return {names.data(), static_cast<size_t>(kept)};
}

void append(std::vector<Str>& names, std::span<const Str> more) {
  names.insert(names.end(), more.begin(), more.end());
}

}  // namespace

DaemonSetSync::NodePods DaemonSetSync::live_pods(const std::vector<api::Object>& pods) const {
  NodePods live;
  for (const api::Object& pod : pods) {
    if (pod.meta().deletion_timestamp) continue;
    const api::Object*& place = is_updated(ds(), pod, hash_) ? live.updated : live.old;
    if (place) return {nullptr, nullptr, true};
    place = &pod;
  }
  return live;
}

/// Nodes that want a pod and have none get an entry.
Result<DaemonSetSync::Limits> DaemonSetSync::limits() {
  Limits limits;
  for (size_t i = 0; i < nodes().size(); ++i) {
    if (!should_run(i)) continue;
    ++limits.desired;
    pods_.try_emplace(nodes()[i].meta().name);
  }
  ORRERY_ASSIGN(limits.unavailable, unavailable_count(*ds().spec, limits.desired));
  ORRERY_ASSIGN(limits.surge, surge_count(*ds().spec, limits.desired));
  if (limits.desired > 0 && limits.unavailable == 0 && limits.surge == 0) limits.unavailable = 1;
  return limits;
}

Status DaemonSetSync::roll() {
  ORRERY_TRY(place_pods());
  ORRERY_ASSIGN(const Limits found, limits());
  if (found.surge == 0) {
    roll_in_place(found);
  } else {
    ORRERY_TRY(roll_with_surge(found));
  }
  return sync_nodes();
}

/// Old pods that are not available go at once, others as long as not too many are unavailable;
/// the next sync makes new ones in their place.
void DaemonSetSync::roll_in_place(const Limits& limits) {
  int64_t unavailable = 0;
  std::vector<Str> candidates;
  for (const auto& [node, on_node] : pods_) {
    const NodePods live = live_pods(on_node);
    if (live.surplus || (live.updated != nullptr) == (live.old != nullptr)) {
      ++unavailable;
    } else if (live.updated) {
      if (!is_available(*live.updated)) ++unavailable;
    } else if (!is_available(*live.old)) {
      pods_to_delete_.push_back(live.old->meta().name);
      ++unavailable;
    } else if (unavailable < limits.unavailable) {
      candidates.push_back(live.old->meta().name);
    }
  }
  append(pods_to_delete_, first_of(candidates, limits.unavailable - unavailable));
}

Result<bool> DaemonSetSync::should_run_on(const Str& node_name) const {
  const auto at = std::lower_bound(
      nodes().begin(), nodes().end(), node_name,
      [](const api::Object& node, const Str& name) { return node.meta().name < name; });
  if (at != nodes().end() && at->meta().name == node_name)
    return should_run(static_cast<size_t>(at - nodes().begin()));
  return not_found(str_cat("couldn't get node for nodeName \"", node_name, "\": node \"", node_name,
                           "\" not found"));
}

/// New pods are made beside old ones: beside those that are not available at once, beside others
/// as long as not too many are; an old one goes when the new one is available.
Status DaemonSetSync::roll_with_surge(const Limits& limits) {
  int64_t surging = 0, available = 0;
  std::vector<Str> candidates, misplaced;
  for (const auto& [node, on_node] : pods_) {
    const NodePods live = live_pods(on_node);
    if (live.surplus) {
      ++surging;
      continue;
    }
    const api::Object* counted = live.old ? live.old : live.updated;
    if (counted && is_available(*counted)) ++available;
    if (!live.old) continue;
    const Str& name = live.old->meta().name;
    if (live.updated) {
      if (is_available(*live.updated)) {
        pods_to_delete_.push_back(name);
      } else {
        ++surging;
      }
      continue;
    }
    ORRERY_ASSIGN(const bool wanted, should_run_on(node));
    const bool old_available = is_available(*live.old);
    if (wanted) {
      (old_available ? candidates : nodes_needing_).push_back(node);
    } else {
      (old_available ? misplaced : pods_to_delete_).push_back(name);
    }
  }
  // Where no pod is wanted any more one stays until its service is not needed.
  append(pods_to_delete_, first_of(misplaced, available - limits.desired));
  append(nodes_needing_, first_of(candidates, limits.surge - surging));
  return Status();
}

}  // namespace orrery::control
