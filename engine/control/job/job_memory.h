#pragma once

#include <unordered_map>
#include <vector>

#include "engine/control/job/pod_backoff.h"
#include "engine/runtime/expectations.h"

namespace orrery::control {

/// What the Job controller remembers between syncs, by the Job's key. Plain copyable state.
class JobMemory {
 public:
  Expectations expectations;

  /// Pods whose tracking finalizer has been taken off by a write that the cache has not shown yet.
  void expect_untracked(const Str& key, const std::vector<Str>& pod_uids);
  void untracking_observed(const Str& key, const Str& pod_uid);
  const std::vector<Str>& expected_untracked(const Str& key) const;  // sorted

  FailureRecord failures(const Str& key) const;
  void set_failures(const Str& key, const FailureRecord& record) { failures_[key] = record; }
  void forget_failures(const Str& key) { failures_.erase(key); }

  void forget(const Str& key);
  /// The caches have seen all writes.
  void caches_caught_up();

 private:
  std::unordered_map<Str, std::vector<Str>> untracked_;  // never iterated
  std::unordered_map<Str, FailureRecord> failures_;      // never iterated
};

}  // namespace orrery::control
