#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "engine/base/str.h"

namespace orrery::realmode {

/// One version of one key. Its id orders it among all versions of all keys: the revision, and
/// within a revision the order of writing.
struct Version {
  static constexpr int kOrderBits = 20;
  int64_t id = 0;
  int64_t create_revision = 0;
  int64_t version = 0;  // writes since creation; 0: a deletion
  int64_t lease = 0;

  int64_t revision() const { return id >> kOrderBits; }
  bool live() const { return version > 0; }
  static constexpr int64_t first_id(int64_t revision) { return revision << kOrderBits; }
};

/// True if `key` lies in [begin, end): "" means the single key, "\0" all keys from `begin` on.
bool key_in_range(std::string_view key, std::string_view begin, std::string_view end);

/// Which versions of which keys there are; their values lie elsewhere, by id. About 200 bytes for
/// a key. Not thread-safe.
class KeyIndex {
 public:
  /// `version.id` is greater than all before.
  void append(const Str& key, const Version& version);
  /// nullptr unless the key exists now.
  const Version* newest(const Str& key) const;
  /// What the version with this id superseded; nullptr if the key did not exist or is forgotten.
  const Version* before(const Str& key, int64_t id) const;
  /// visit(key, version) for each key in the range that existed at `revision`, ascending.
  template <typename Visit>
  void each(const Str& begin, const Str& end, int64_t revision, Visit&& visit) const {
    for (auto it = keys_.lower_bound(begin); it != keys_.end(); ++it) {
      if (!key_in_range(it->first, begin, end)) break;
      const Version* version = at(it->second, revision);
      if (version && version->live()) visit(it->first, *version);
    }
  }
  /// Forgets what was superseded at `revision` or before; appends the ids to `forgotten`.
  void forget_until(int64_t revision, std::vector<int64_t>* forgotten);

 private:
  using Versions = std::vector<Version>;  // ascending
  static const Version* at(const Versions& versions, int64_t revision);

  std::map<Str, Versions> keys_;
};

}  // namespace orrery::realmode
