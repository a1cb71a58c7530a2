#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/base/slab.h"
#include "engine/base/sorted_keys.h"
#include "engine/ports/lanes.h"
#include "engine/ports/store.h"

namespace orrery::sim {

/// The Store port in memory and virtual time: multi-version, with modelled latency. Objects are kept
/// as objects, bytes as bytes. fork() is the same store in another world.
class SimStore final : public Store, public LaneHandler {
 public:
  struct Options {
    Duration latency;            // from a call to its outcome
    Duration watch_latency;      // from a write to its watch events
    int64_t history_max = 4096;  // revisions kept beside the newest state; older ones are compacted
  };

  SimStore(Lanes* lanes, Timers* timers, Options options);
  SimStore(Lanes* lanes, Timers* timers) : SimStore(lanes, timers, Options()) {}
  /// A copy bound to the ports of another world; the caller rebinds lane() to it.
  std::unique_ptr<SimStore> fork(Lanes* lanes, Timers* timers) const;
  LaneId lane() const { return lane_; }

  void range(Ticket ticket, RangeRequest request) override;
  void txn(Ticket ticket, TxnRequest request) override;
  void lease_grant(Ticket ticket, Duration ttl) override;
  void lease_keep_alive(Ticket ticket, int64_t lease) override;
  void lease_revoke(Ticket ticket, int64_t lease) override;
  void compact(Ticket ticket, int64_t revision) override;
  StoreOutcome take(uint64_t handle) override { return outcomes_.take(handle); }
  StoreWatchId watch(LaneId lane, StoreWatchRequest request) override;
  void drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) override;
  void unwatch(StoreWatchId watch) override;
  void request_progress(StoreWatchId watch) override;
  bool keeps_objects() const override { return true; }
  void handle(const Ctx& ctx, const Event& event) override;

  // Faults
  /// The next `count` calls fail with `status` and have no effect.
  void fail_next(int count, Status status);
  /// Every watch ends with Expired.
  void drop_watches();

  int64_t revision() const { return revision_; }
  int64_t writes() const { return writes_; }
  size_t live_keys() const { return live_; }
  /// Hash over the keys and revisions of the newest state, and over the values by `hash_value`.
  uint64_t digest(uint64_t (*hash_value)(const StoreValue&)) const;

 private:
  static constexpr uint32_t kNoRecord = UINT32_MAX;
  struct Version {
    StoreValue value;
    int64_t create_revision = 0;
    int64_t mod_revision = 0;
    int64_t version = 0;  // 0: a deletion
    int64_t lease = 0;
  };
  struct Record {
    Str key;
    Version current;
    std::vector<Version> old;  // superseded, ascending; only back to the compacted revision
  };
  struct LogEntry {
    int64_t revision;
    uint32_t record;
  };
  struct Watcher {
    LaneId lane;
    StoreWatchRequest request;
    std::vector<StoreWatchEvent> pending;
    bool ended = false;
  };
  struct Lease {
    Duration ttl;
    TimerId timer;
    std::vector<uint32_t> records;
  };
  SimStore(const SimStore&) = default;

  void answer(Ticket ticket, StoreOutcome outcome);
  bool failed(Ticket ticket);
  static KeyValue key_value(const Record& record, const Version& version);
  const Version* version_at(const Record& record, int64_t revision) const;
  Status read(const RangeRequest& request, RangeResponse* response) const;
  Status check_writes(const std::vector<StoreOp>& ops) const;
  bool holds(const StoreCompare& compare) const;
  uint32_t record_of(const Str& key) const;
  bool is_live(const Str& key) const;
  std::vector<uint32_t> records_in(const RangeRequest& range, int64_t revision) const;
  void put(StoreOp& op, int64_t revision, TxnResponse::OpResult& result);
  int64_t erase(const RangeRequest& range, int64_t revision);
  void supersede(uint32_t index, Version next);
  void notify(const Record& record, const Version& previous);
  void deliver(uint64_t id, Watcher& watcher, StoreWatchEvent event);
  void arm_lease(int64_t id, Lease& lease);
  /// Answers the ticket after the change, or that there is no such lease.
  template <typename Change>
  void with_lease(Ticket ticket, int64_t id, Change change);
  void expire(int64_t lease);
  void trim_history();
  void forget_until(int64_t revision);
  static StoreWatchEvent event_of(const Record& record, const Version& version, const Version* previous);

  Lanes* lanes_;
  Timers* timers_;
  Options options_;
  LaneId lane_;
  std::deque<Record> records_;
  std::vector<uint32_t> free_records_;
  std::unordered_map<Str, uint32_t> index_;  // live keys, and deleted ones with history
  mutable SortedKeys ordered_;               // live keys
  size_t live_ = 0;
  std::deque<LogEntry> log_;                 // ascending by revision
  std::map<uint64_t, Watcher> watchers_;
  std::map<int64_t, Lease> leases_;
  Slab<StoreOutcome> outcomes_;
  int64_t revision_ = 1;  // as in a new etcd
  int64_t compacted_ = 0;
  int64_t writes_ = 0;
  /// The record that was looked for last: what is compared is mostly what is written.
  mutable uint32_t recent_ = kNoRecord;
  uint64_t next_watch_ = 1;
  int64_t next_lease_ = 1;
  int failing_ = 0;
  Status failure_;
};

}  // namespace orrery::sim
