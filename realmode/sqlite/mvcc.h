#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/ports/store.h"
#include "realmode/sqlite/key_index.h"
#include "realmode/sqlite/store_file.h"

namespace orrery::realmode {

/// The multi-version store itself: etcd's rules over a StoreFile. The index of keys and the leases
/// are in memory, the values in the file. One thread owns it.
///
/// Calls that write open a transaction of the file that goes on until commit(): what they answer
/// holds only then. After a failure of the file roll_back() returns to what the file has.
class Mvcc {
 public:
  /// Told of every write, in order, before the call that makes it returns. `previous`: the version
  /// superseded, nullptr if there was none.
  using OnWrite = std::function<void(const KeyValue& kv, const Version* previous)>;

  static Result<std::unique_ptr<Mvcc>> open(const std::string& path, Time now);
  void set_on_write(OnWrite on_write) { on_write_ = std::move(on_write); }

  int64_t revision() const { return revisions_.revision; }
  int64_t compacted() const { return revisions_.compacted; }
  /// A failure of the file; calls then answer with it until roll_back().
  const Status& failure() const { return failure_; }

  Status range(const RangeRequest& request, RangeResponse* response);
  /// Values to put are bytes (an object beside them is handed to on_write).
  Status txn(const TxnRequest& request, TxnResponse* response);
  Status lease_grant(Duration ttl, Time now, int64_t* lease);
  Status lease_keep_alive(int64_t lease, Time now);
  Status lease_revoke(int64_t lease);
  Status compact(int64_t revision);
  /// Revokes what has expired.
  void expire(Time now);
  Time next_expiry() const;
  /// Writes from `revision` on, as on_write told them.
  Status replay(int64_t revision, const OnWrite& visit);
  Result<KeyValue> read(const Str& key, const Version& version, bool with_value);

  /// Deletes up to `max` forgotten versions from the file.
  void sweep(size_t max);
  bool swept() const { return garbage_.empty(); }
  Status commit();
  void roll_back(Time now);

 private:
  struct Lease {
    Duration ttl;
    Time expires;
    std::set<Str> keys;  // those that hung on it when they were written
  };
  explicit Mvcc(std::unique_ptr<StoreFile> file) : file_(std::move(file)) {}
  Status load(Time now);
  bool begin();
  bool begin_writes();
  void end_writes();
  Status fail(Status status);
  bool holds(const StoreCompare& compare) const;
  Status check_writes(const std::vector<StoreOp>& ops) const;
  Status put(const StoreOp& op);
  Status erase(const RangeRequest& range, int64_t* deleted);
  Status write(const Str& key, Version version, StoreValue value);
  Status erase_keys(const std::vector<Str>& keys);
  void set_expiry(int64_t id, Lease& lease, Time now);

  std::unique_ptr<StoreFile> file_;
  OnWrite on_write_;
  KeyIndex index_;
  std::map<int64_t, Lease> leases_;
  std::set<std::pair<Time, int64_t>> expiries_;
  std::deque<int64_t> garbage_;  // ids that the index has forgotten and the file has not
  StoreFile::Revisions revisions_;
  int64_t writing_ = 0;  // revision of the writes of the call under way; 0: none
  int64_t order_ = 0;    // writes in it so far
  bool open_ = false;    // a transaction of the file
  Status failure_;
};

}  // namespace orrery::realmode
