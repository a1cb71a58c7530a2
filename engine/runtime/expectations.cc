#include "engine/runtime/expectations.h"

#include <algorithm>

namespace orrery {

void Expectations::expect_creations(const Str& key, int64_t count, Time now) {
  keys_[key] = {count, {}, now};
}

void Expectations::expect_deletions(const Str& key, std::span<const Str> deletions, Time now) {
  keys_[key] = {0, {}, now};
  raise(key, 0, deletions, now);
}

void Expectations::raise(const Str& key, int64_t creations, std::span<const Str> deletions,
                         Time now) {
  auto [it, fresh] = keys_.try_emplace(key);
  Entry& entry = it->second;
  if (fresh) entry.since = now;
  entry.creations += creations;
  entry.deletions.insert(entry.deletions.end(), deletions.begin(), deletions.end());
  std::sort(entry.deletions.begin(), entry.deletions.end());
}

void Expectations::creation_observed(const Str& key) {
  if (auto it = keys_.find(key); it != keys_.end()) --it->second.creations;
}

void Expectations::deletion_observed(const Str& key, const Str& deleted) {
  auto it = keys_.find(key);
  if (it == keys_.end()) return;
  auto& deletions = it->second.deletions;
  auto at = std::lower_bound(deletions.begin(), deletions.end(), deleted);
  if (at != deletions.end() && *at == deleted) deletions.erase(at);
}

bool Expectations::satisfied(const Str& key, Time now) const {
  auto it = keys_.find(key);
  if (it == keys_.end()) return true;
  const Entry& entry = it->second;
  return (entry.creations <= 0 && entry.deletions.empty()) || now - entry.since > kTimeout;
}

}  // namespace orrery
