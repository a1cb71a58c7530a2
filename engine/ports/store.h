#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/cow.h"
#include "engine/base/status.h"
#include "engine/ports/lanes.h"

namespace orrery {

/// A stored value: bytes, or an API object, or both forms of the same. A store in memory keeps what
/// it is given. A store that writes bytes (SQLite, etcd) encodes an object through the codec it was
/// made with and returns bytes, so that a reader may keep them and decode when it has to; its watch
/// events carry the object as well where the writer gave it to this very store. Readers therefore
/// take `object` if it is there and decode `bytes` (engine/api/storage.h) if not.
struct StoreValue {
  api::Object object;
  Str bytes;
  Str unreadable;  // why `bytes` cannot be read: encrypted with a key that is not there
  bool empty() const { return !object && bytes.empty(); }
};

struct KeyValue {
  Str key;
  StoreValue value;
  int64_t create_revision = 0;
  int64_t mod_revision = 0;  // 0: the key does not exist
  int64_t version = 0;       // writes since creation, 1 after creation
  int64_t lease = 0;
};

/// Keys in [key, range_end); range_end "" means the single key, "\0" all keys from `key` on.
struct RangeRequest {
  Str key;
  Str range_end;
  int64_t limit = 0;     // 0: all
  int64_t revision = 0;  // 0: newest; compacted: Expired; of the future: BadRequest
  bool keys_only = false;
  bool count_only = false;
};

struct RangeResponse {
  std::vector<KeyValue> kvs;  // ascending by key
  bool more = false;          // `limit` cut the answer
  int64_t count = 0;          // keys in the range, whatever the limit
};

struct StoreCompare {
  enum class Target : uint8_t { kModRevision, kCreateRevision, kVersion };
  enum class Op : uint8_t { kEqual, kGreater, kLess, kNotEqual };
  Str key;
  Target target = Target::kModRevision;
  Op op = Op::kEqual;
  int64_t number = 0;
};

struct StoreOp {
  enum class Kind : uint8_t { kPut, kDelete, kRange };
  Kind kind = Kind::kPut;
  RangeRequest range;  // the key (kPut), the keys (kDelete, kRange)
  StoreValue value;    // kPut
  int64_t lease = 0;   // kPut
};

/// Atomic: if all compares hold, `success` runs, else `failure`. No key is written twice.
struct TxnRequest {
  std::vector<StoreCompare> compares;
  std::vector<StoreOp> success;
  std::vector<StoreOp> failure;
};

struct TxnResponse {
  bool succeeded = false;
  struct OpResult {
    RangeResponse range;   // kRange
    int64_t deleted = 0;   // kDelete
    api::Object stored;    // kPut, if keeps_objects()
  };
  std::vector<OpResult> results;  // one for each op that ran
};

/// The outcome of any store call: take(event.b).
struct StoreOutcome {
  Status status;
  int64_t revision = 0;  // of the store when the call took effect
  RangeResponse range;
  TxnResponse txn;
  int64_t lease = 0;     // lease_grant
};

struct StoreWatchRequest {
  Str key;
  Str range_end;
  /// 0: from now, which includes all that this store's caller has not seen the outcome of yet;
  /// compacted: the watch ends with Expired.
  int64_t start_revision = 0;
  bool prev_kv = false;
};

struct StoreWatchEvent {
  enum class Kind : uint8_t { kPut, kDelete, kProgress, kError };
  Kind kind = Kind::kPut;
  KeyValue kv;       // kDelete: key and mod_revision of the deletion
  Ref<KeyValue> prev;  // if asked for and there was one
  int64_t revision = 0;
  Status error;      // kError: the watch has ended: Expired if it fell behind the compaction
};

struct StoreWatchId {
  uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
};

/// Port: a multi-version key-value store in etcd v3's shape. Each write gets the next revision
/// (the first is 2, as in etcd); watches see every revision once, in order.
class Store {
 public:
  virtual ~Store() = default;
  /// Outcomes arrive as kDone on the ticket's lane; fetch them with take(event.b).
  virtual void range(Ticket ticket, RangeRequest request) = 0;
  virtual void txn(Ticket ticket, TxnRequest request) = 0;
  virtual void lease_grant(Ticket ticket, Duration ttl) = 0;
  /// Renews; NotFound if it has expired.
  virtual void lease_keep_alive(Ticket ticket, int64_t lease) = 0;
  /// Ends the lease and deletes its keys.
  virtual void lease_revoke(Ticket ticket, int64_t lease) = 0;
  /// Forgets versions superseded at `revision` or before.
  virtual void compact(Ticket ticket, int64_t revision) = 0;
  virtual StoreOutcome take(uint64_t handle) = 0;
  /// Events arrive as kWatch with a = the id's value; drain() takes all that are there.
  virtual StoreWatchId watch(LaneId lane, StoreWatchRequest request) = 0;
  virtual void drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) = 0;
  virtual void unwatch(StoreWatchId watch) = 0;
  /// A kProgress follows, after all events up to its `revision`: the store had come that far when
  /// it was asked, or further. One answer may serve several requests. An etcd that cannot promise
  /// it (before 3.4.31 and 3.5.13) is not asked, and nothing follows.
  virtual void request_progress(StoreWatchId watch) = 0;
  /// True for a store in memory that takes objects over as they are: it sets metadata.resourceVersion
  /// to the revision of the write, and the outcome of a put gives the object back.
  virtual bool keeps_objects() const { return false; }
};

}  // namespace orrery
