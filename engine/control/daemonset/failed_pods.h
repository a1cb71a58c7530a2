#pragma once

#include <map>
#include <optional>

#include "engine/base/str.h"
#include "engine/base/time.h"
#include "engine/runtime/backoff.h"

namespace orrery::control {

/// How long a node's failed daemon pod stays before it is deleted: 1 s after the deletion before,
/// doubling to 15 min. Kubernetes v1.32 pkg/controller/daemon, failedPodsBackoff. Copyable data.
class FailedPodsBackoff {
 public:
  /// The wait between deletions, if the last was less than that ago.
  std::optional<Duration> waits(const Str& key, Time now) const {
    const auto it = entries_.find(key);
    if (it == entries_.end() || expired(it->second, now)) return std::nullopt;
    if (now - it->second.since >= it->second.wait) return std::nullopt;
    return it->second.wait;
  }
  /// A failed pod is deleted now.
  void next(const Str& key, Time now) {
    std::erase_if(entries_, [&](const auto& entry) { return expired(entry.second, now); });
    const auto [it, fresh] = entries_.try_emplace(key, Entry{kLimits.base, now});
    if (!fresh) it->second = {std::min(it->second.wait * 2, kLimits.max), now};
  }

 private:
  static constexpr ExponentialBackoff kLimits{Duration::seconds(1), Duration::minutes(15)};
  struct Entry {
    Duration wait;
    Time since;
  };
  static bool expired(const Entry& entry, Time now) { return now - entry.since > kLimits.max * 2; }

  std::map<Str, Entry> entries_;
};

}  // namespace orrery::control
