#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/str.h"
#include "engine/base/time.h"
#include "realmode/sqlite/database.h"
#include "realmode/sqlite/key_index.h"

namespace orrery::realmode {

/// The tables of SqliteStore: all versions that are not forgotten, by id; leases; how far the store
/// has come and how far it is compacted. Writes belong between begin() and commit().
class StoreFile {
 public:
  /// Makes the tables if the file is new; BadRequest if the file is another program's.
  static Result<std::unique_ptr<StoreFile>> open(const std::string& path);

  Status begin();
  Status commit();
  /// Safe to call whatever has failed.
  void rollback();

  using VisitVersion = std::function<void(const Str& key, const Version& version)>;
  /// Every version, ascending by id.
  Status load_versions(const VisitVersion& visit);
  Status load_leases(const std::function<void(int64_t lease, Duration ttl)>& visit);
  struct Revisions {
    int64_t revision = 1;
    int64_t compacted = 0;
  };
  Result<Revisions> load_revisions();

  Status put(const Str& key, const Version& version, std::string_view value);
  Result<Str> value(int64_t id);
  using VisitWrite = std::function<void(const Str& key, const Version& version, const Str& value)>;
  /// The versions from `id` on, with their values.
  Status history(int64_t id, const VisitWrite& visit);
  Status forget(int64_t id);
  Status set_revisions(const Revisions& revisions);
  /// A lease's id is never used again.
  Result<int64_t> add_lease(Duration ttl);
  Status remove_lease(int64_t lease);

 private:
  explicit StoreFile(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
  Statement put_, value_, history_, forget_, set_revisions_, add_lease_, remove_lease_;
};

}  // namespace orrery::realmode
