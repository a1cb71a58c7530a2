#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/store.h"

namespace orrery::realmode {

class Mvcc;
struct Version;

/// The embedded store: one SQLite file that this process holds exclusively (mode 0600). Port functions may be
/// called from any thread.
///
/// One thread of its own owns the file. Requests that have come while it was committing share the
/// next transaction of the file and its one fsync (group commit). An outcome is posted, and a watch
/// told, only after the commit: what was answered survives kill -9 and the loss of power.
///
/// If the file cannot be written (disk full) the writes of that transaction fail with
/// ServiceUnavailable or Internal and have no effect; the store goes on and tries each later one.
///
/// Values are returned as bytes; a watch event also carries the object that the writer gave.
/// Leases have their full time again after a restart and after a failed write.
class SqliteStore final : public Store {
 public:
  struct Options {
    std::string path;
    /// Objects to bytes; api::encode_storage unless given.
    std::function<std::string(const api::Object&)> encode;
  };
  /// Fails if the file cannot be opened, is held by another process or belongs to another program.
  static Result<std::unique_ptr<SqliteStore>> open(Lanes* lanes, Options options);
  /// Finishes what has been asked for.
  ~SqliteStore() override;

  void range(Ticket ticket, RangeRequest request) override;
  void txn(Ticket ticket, TxnRequest request) override;
  void lease_grant(Ticket ticket, Duration ttl) override;
  void lease_keep_alive(Ticket ticket, int64_t lease) override;
  void lease_revoke(Ticket ticket, int64_t lease) override;
  void compact(Ticket ticket, int64_t revision) override;
  StoreOutcome take(uint64_t handle) override;
  StoreWatchId watch(LaneId lane, StoreWatchRequest request) override;
  void drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) override;
  void unwatch(StoreWatchId watch) override;
  void request_progress(StoreWatchId watch) override;

 private:
  struct Grant {
    Duration ttl;
  };
  struct KeepAlive {
    int64_t lease;
  };
  struct Revoke {
    int64_t lease;
  };
  struct Compact {
    int64_t revision;
  };
  struct Watch {
    uint64_t id;
    StoreWatchRequest request;
  };
  struct Unwatch {
    uint64_t id;
  };
  struct Progress {
    uint64_t id;
  };
  struct Request {
    Ticket ticket;  // invalid lane: no outcome
    std::variant<RangeRequest, TxnRequest, Grant, KeepAlive, Revoke, Compact, Watch, Unwatch,
                 Progress>
        body;
  };
  struct Mailbox {
    LaneId lane;
    std::vector<StoreWatchEvent> events;
  };
  struct Answer {
    Ticket ticket;
    StoreOutcome outcome;
  };
  /// What one transaction of the file has brought; published after its commit.
  struct Results {
    std::vector<Answer> answers;
    std::vector<std::pair<uint64_t, StoreWatchEvent>> events;
  };

  SqliteStore(Lanes* lanes, Options options, std::unique_ptr<Mvcc> mvcc);
  void submit(Request request);
  // On the store's thread.
  void work();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void run_batch(std::vector<Request>& batch);
  void execute(Request& request, Results& results);
  StoreOutcome perform(Request& request, Results& results);
  void begin_watch(const Watch& watch, Results& results);
  void notify(const KeyValue& kv, const Version* previous);
  StoreWatchEvent event_of(const KeyValue& kv, const Version* previous, bool with_previous);
  void fail_batch(std::vector<Request>& batch, Status status);
  void publish(Results results);

  Lanes* lanes_;
  Options options_;

  std::mutex mutex_;  // the next four
  std::condition_variable wake_;
  std::vector<Request> queue_;
  bool stopping_ = false;
  uint64_t next_watch_ = 1;

  std::mutex out_mutex_;  // the next two
  Slab<StoreOutcome> outcomes_;
  std::map<uint64_t, Mailbox> mailboxes_;

  // The store's thread only.
  std::unique_ptr<Mvcc> mvcc_;
  std::map<uint64_t, StoreWatchRequest> watchers_;
  Results* results_ = nullptr;  // of the batch under way
  bool troubled_ = false;       // the last batch failed
  std::thread thread_;
};

}  // namespace orrery::realmode
