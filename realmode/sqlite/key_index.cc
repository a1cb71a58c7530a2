#include "realmode/sqlite/key_index.h"

#include <algorithm>

#include "engine/base/check.h"

namespace orrery::realmode {

bool key_in_range(std::string_view key, std::string_view begin, std::string_view end) {
  constexpr std::string_view kUnbounded("\0", 1);
  if (end.empty()) return key == begin;
  return key >= begin && (end == kUnbounded || key < end);
}

void KeyIndex::append(const Str& key, const Version& version) {
  Versions& versions = keys_[key];
  CHECK(versions.empty() || versions.back().id < version.id) << key.view();
  versions.push_back(version);
}

const Version* KeyIndex::newest(const Str& key) const {
  const auto found = keys_.find(key);
  if (found == keys_.end() || !found->second.back().live()) return nullptr;
  return &found->second.back();
}

const Version* KeyIndex::before(const Str& key, int64_t id) const {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return nullptr;
  const Versions& versions = found->second;
  auto it = std::lower_bound(versions.begin(), versions.end(), id,
                             [](const Version& v, int64_t wanted) { return v.id < wanted; });
  if (it == versions.begin()) return nullptr;
  --it;
  return it->live() ? &*it : nullptr;
}

const Version* KeyIndex::at(const Versions& versions, int64_t revision) {
  for (size_t i = versions.size(); i-- > 0;)
    if (versions[i].revision() <= revision) return &versions[i];
  return nullptr;
}

void KeyIndex::forget_until(int64_t revision, std::vector<int64_t>* forgotten) {
  for (auto it = keys_.begin(); it != keys_.end();) {
    Versions& versions = it->second;
    const Version* kept = at(versions, revision);
    auto end = versions.begin();
    if (kept) end += kept - versions.data() + (kept->live() ? 0 : 1);
    for (auto v = versions.begin(); v != end; ++v) forgotten->push_back(v->id);
    versions.erase(versions.begin(), end);
    it = versions.empty() ? keys_.erase(it) : std::next(it);
  }
}

}  // namespace orrery::realmode
