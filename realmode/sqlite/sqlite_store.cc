#include "realmode/sqlite/sqlite_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/api/storage.h"
#include "realmode/sqlite/mvcc.h"

namespace orrery::realmode {
namespace {

// Requests in one transaction of the file, and forgotten versions deleted along with them: bounds
// on how long the first of a batch waits for the last.
constexpr size_t kBatchMax = 1024;
constexpr size_t kSweepMax = 256;
// Between attempts to sweep while the file cannot be written.
constexpr Duration kRetryDelay = Duration::millis(100);

// Leases run by a clock that nobody sets.
Time steady_now() {
  return Time{std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1)};
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Lanes* lanes, Options options) {
  if (!options.encode) options.encode = api::encode_storage;
  ORRERY_ASSIGN(std::unique_ptr<Mvcc> mvcc, Mvcc::open(options.path, steady_now()));
  return std::unique_ptr<SqliteStore>(new SqliteStore(lanes, std::move(options), std::move(mvcc)));
}

SqliteStore::SqliteStore(Lanes* lanes, Options options, std::unique_ptr<Mvcc> mvcc)
    : lanes_(lanes), options_(std::move(options)), mvcc_(std::move(mvcc)) {
  mvcc_->set_on_write(
      [this](const KeyValue& kv, const Version* previous) { notify(kv, previous); });
  thread_ = std::thread([this] { work(); });
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SqliteStore::submit(Request request) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(request));
  }
  wake_.notify_one();
}

void SqliteStore::range(Ticket ticket, RangeRequest request) {
  submit({ticket, std::move(request)});
}
void SqliteStore::txn(Ticket ticket, TxnRequest request) { submit({ticket, std::move(request)}); }
void SqliteStore::lease_grant(Ticket ticket, Duration ttl) { submit({ticket, Grant{ttl}}); }
void SqliteStore::lease_keep_alive(Ticket ticket, int64_t lease) {
  submit({ticket, KeepAlive{lease}});
}
void SqliteStore::lease_revoke(Ticket ticket, int64_t lease) { submit({ticket, Revoke{lease}}); }
void SqliteStore::compact(Ticket ticket, int64_t revision) { submit({ticket, Compact{revision}}); }
void SqliteStore::request_progress(StoreWatchId watch) { submit({{}, Progress{watch.value}}); }

StoreOutcome SqliteStore::take(uint64_t handle) {
  const std::lock_guard lock(out_mutex_);
  return outcomes_.take(handle);
}

StoreWatchId SqliteStore::watch(LaneId lane, StoreWatchRequest request) {
  uint64_t id;
  {
    const std::lock_guard lock(mutex_);
    id = next_watch_++;
  }
  {
    const std::lock_guard lock(out_mutex_);
    mailboxes_[id].lane = lane;
  }
  submit({{}, Watch{id, std::move(request)}});
  return StoreWatchId{id};
}

void SqliteStore::drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) {
  const std::lock_guard lock(out_mutex_);
  const auto found = mailboxes_.find(watch.value);
  if (found == mailboxes_.end()) return;
  auto& events = found->second.events;
  out.insert(out.end(), std::make_move_iterator(events.begin()),
             std::make_move_iterator(events.end()));
  events.clear();
}

void SqliteStore::unwatch(StoreWatchId watch) {
  {
    const std::lock_guard lock(out_mutex_);
    mailboxes_.erase(watch.value);
  }
  submit({{}, Unwatch{watch.value}});
}

void SqliteStore::work() {
  std::unique_lock lock(mutex_);
  std::vector<Request> batch;
  while (!stopping_ || !queue_.empty()) {
    wait_for_work(lock);
    const size_t count = std::min(queue_.size(), kBatchMax);
    const auto end = queue_.begin() + static_cast<ptrdiff_t>(count);
    batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    lock.unlock();
    run_batch(batch);
    lock.lock();
  }
}

void SqliteStore::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return stopping_ || !queue_.empty(); };
  const Time due = mvcc_->next_expiry();
  if (!mvcc_->swept()) {
    if (troubled_) wake_.wait_for(lock, std::chrono::nanoseconds(kRetryDelay.ns), has_work);
  } else if (due == Time::max()) {
    wake_.wait(lock, has_work);
  } else {
    const int64_t left = std::max(int64_t{0}, (due - steady_now()).ns);
    wake_.wait_for(lock, std::chrono::nanoseconds(left), has_work);
  }
}

void SqliteStore::run_batch(std::vector<Request>& batch) {
  Results results;
  results_ = &results;
  mvcc_->expire(steady_now());
  for (Request& request : batch) execute(request, results);
  mvcc_->sweep(kSweepMax);
  const Status committed = mvcc_->commit();
  troubled_ = !committed.is_ok();
  if (committed.is_ok()) return publish(std::move(results));
  fail_batch(batch, committed);
}

// Nothing of the batch has happened. What only reads is asked again of the state as it was.
void SqliteStore::fail_batch(std::vector<Request>& batch, Status status) {
  mvcc_->roll_back(steady_now());
  Results results;
  results_ = &results;
  for (Request& request : batch) {
    const bool reads =
        std::holds_alternative<RangeRequest>(request.body) || !request.ticket.lane.valid();
    if (reads) {
      execute(request, results);
      continue;
    }
    StoreOutcome outcome;
    outcome.status = status;
    outcome.revision = mvcc_->revision();
    results.answers.push_back({request.ticket, std::move(outcome)});
  }
  publish(std::move(results));
}

void SqliteStore::execute(Request& request, Results& results) {
  StoreOutcome outcome = perform(request, results);
  outcome.revision = mvcc_->revision();
  if (request.ticket.lane.valid()) results.answers.push_back({request.ticket, std::move(outcome)});
}

StoreOutcome SqliteStore::perform(Request& request, Results& results) {
  StoreOutcome outcome;
  if (auto* range = std::get_if<RangeRequest>(&request.body)) {
    outcome.status = mvcc_->range(*range, &outcome.range);
  } else if (auto* txn = std::get_if<TxnRequest>(&request.body)) {
    for (auto* ops : {&txn->success, &txn->failure})
      for (StoreOp& op : *ops)
        if (op.value.object) op.value.bytes = Str(options_.encode(op.value.object));
    outcome.status = mvcc_->txn(*txn, &outcome.txn);
  } else if (auto* grant = std::get_if<Grant>(&request.body)) {
    outcome.status = mvcc_->lease_grant(grant->ttl, steady_now(), &outcome.lease);
  } else if (auto* alive = std::get_if<KeepAlive>(&request.body)) {
    outcome.lease = alive->lease;
    outcome.status = mvcc_->lease_keep_alive(alive->lease, steady_now());
  } else if (auto* revoke = std::get_if<Revoke>(&request.body)) {
    outcome.lease = revoke->lease;
    outcome.status = mvcc_->lease_revoke(revoke->lease);
  } else if (auto* compact = std::get_if<Compact>(&request.body)) {
    outcome.status = mvcc_->compact(compact->revision);
  } else if (auto* watch = std::get_if<Watch>(&request.body)) {
    begin_watch(*watch, results);
  } else if (auto* unwatch = std::get_if<Unwatch>(&request.body)) {
    watchers_.erase(unwatch->id);
  } else if (auto* progress = std::get_if<Progress>(&request.body)) {
    StoreWatchEvent event;
    event.kind = StoreWatchEvent::Kind::kProgress;
    event.revision = mvcc_->revision();
    if (watchers_.contains(progress->id))
      results.events.emplace_back(progress->id, std::move(event));
  }
  return outcome;
}

void SqliteStore::begin_watch(const Watch& watch, Results& results) {
  const StoreWatchRequest& request = watch.request;
  StoreWatchEvent error;
  error.kind = StoreWatchEvent::Kind::kError;
  if (request.start_revision != 0 && request.start_revision <= mvcc_->compacted()) {
    error.error = Status(Code::kExpired, "required revision has been compacted");
  } else if (request.start_revision != 0 && request.start_revision <= mvcc_->revision()) {
    error.error =
        mvcc_->replay(request.start_revision, [&](const KeyValue& kv, const Version* previous) {
          if (key_in_range(kv.key, request.key, request.range_end))
            results.events.emplace_back(watch.id, event_of(kv, previous, request.prev_kv));
        });
  }
  if (error.error.is_ok()) {
    watchers_[watch.id] = request;
  } else {
    results.events.emplace_back(watch.id, std::move(error));
  }
}

void SqliteStore::notify(const KeyValue& kv, const Version* previous) {
  for (const auto& [id, request] : watchers_) {
    if (!key_in_range(kv.key, request.key, request.range_end)) continue;
    if (kv.mod_revision < request.start_revision) continue;
    results_->events.emplace_back(id, event_of(kv, previous, request.prev_kv));
  }
}

StoreWatchEvent SqliteStore::event_of(const KeyValue& kv, const Version* previous,
                                      bool with_previous) {
  StoreWatchEvent event;
  event.kind = kv.version > 0 ? StoreWatchEvent::Kind::kPut : StoreWatchEvent::Kind::kDelete;
  event.kv = kv;
  event.revision = kv.mod_revision;
  if (with_previous && previous) {
    Result<KeyValue> prev = mvcc_->read(kv.key, *previous, true);
    if (prev.is_ok()) event.prev = Ref<KeyValue>::make(std::move(*prev));
  }
  return event;
}

// Watches are told before the writer: its own write is then among what it has seen.
void SqliteStore::publish(Results results) {
  std::vector<std::pair<LaneId, Event>> posts;
  {
    const std::lock_guard lock(out_mutex_);
    for (auto& [id, event] : results.events) {
      const auto found = mailboxes_.find(id);
      if (found == mailboxes_.end()) continue;
      Mailbox& mailbox = found->second;
      if (mailbox.events.empty())
        posts.emplace_back(mailbox.lane, Event{EventKind::kWatch, 0, id, 0});
      mailbox.events.push_back(std::move(event));
    }
    for (auto& [ticket, outcome] : results.answers)
      posts.emplace_back(ticket.lane,
                         Event{EventKind::kDone, 0, ticket.op, outcomes_.put(std::move(outcome))});
  }
  for (const auto& [lane, event] : posts) lanes_->post(lane, event);
}

}  // namespace orrery::realmode
