#include "engine/control/job/job_memory.h"

#include <algorithm>

namespace orrery::control {

void JobMemory::expect_untracked(const Str& key, const std::vector<Str>& pod_uids) {
  auto& uids = untracked_[key];
  uids.insert(uids.end(), pod_uids.begin(), pod_uids.end());
  std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
}

void JobMemory::untracking_observed(const Str& key, const Str& pod_uid) {
  const auto it = untracked_.find(key);
  if (it == untracked_.end()) return;
  auto& uids = it->second;
  const auto found = std::lower_bound(uids.begin(), uids.end(), pod_uid);
  if (found != uids.end() && *found == pod_uid) uids.erase(found);
  if (uids.empty()) untracked_.erase(it);
}

const std::vector<Str>& JobMemory::expected_untracked(const Str& key) const {
  static const std::vector<Str> kNone;
  const auto it = untracked_.find(key);
  return it == untracked_.end() ? kNone : it->second;
}

FailureRecord JobMemory::failures(const Str& key) const {
  const auto it = failures_.find(key);
  return it == failures_.end() ? FailureRecord() : it->second;
}

void JobMemory::forget(const Str& key) {
  expectations.forget(key);
  untracked_.erase(key);
  failures_.erase(key);
}

void JobMemory::caches_caught_up() {
  expectations.clear();
  untracked_.clear();
}

}  // namespace orrery::control
