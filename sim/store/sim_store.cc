#include "sim/store/sim_store.h"

#include <algorithm>
#include <set>

#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace orrery::sim {
namespace {

bool in_range(std::string_view key, const Str& begin, const Str& end) {
  if (end.empty()) return key == begin.view();
  return key >= begin.view() && (end.view() == std::string_view("\0", 1) || key < end.view());
}

Status compacted_error() { return Status(Code::kExpired, "required revision has been compacted"); }

}  // namespace

SimStore::SimStore(Lanes* lanes, Timers* timers, Options options)
    : lanes_(lanes), timers_(timers), options_(options), lane_(lanes->open("store", this)) {}

std::unique_ptr<SimStore> SimStore::fork(Lanes* lanes, Timers* timers) const {
  std::unique_ptr<SimStore> copy(new SimStore(*this));
  copy->lanes_ = lanes;
  copy->timers_ = timers;
  return copy;
}

void SimStore::answer(Ticket ticket, StoreOutcome outcome) {
  outcome.revision = revision_;
  const Event event{EventKind::kDone, 0, ticket.op, outcomes_.put(std::move(outcome))};
  if (options_.latency.ns == 0) {
    lanes_->post(ticket.lane, event);
  } else {
    timers_->arm(ticket.lane, timers_->now() + options_.latency, event);
  }
}

bool SimStore::failed(Ticket ticket) {
  if (failing_ == 0) return false;
  --failing_;
  StoreOutcome outcome;
  outcome.status = failure_;
  answer(ticket, std::move(outcome));
  return true;
}

void SimStore::fail_next(int count, Status status) {
  failing_ = count;
  failure_ = std::move(status);
}

KeyValue SimStore::key_value(const Record& record, const Version& v) {
  return {record.key, v.value, v.create_revision, v.mod_revision, v.version, v.lease};
}

const SimStore::Version* SimStore::version_at(const Record& record, int64_t revision) const {
  if (record.current.mod_revision <= revision) return &record.current;
  for (size_t i = record.old.size(); i-- > 0;)
    if (record.old[i].mod_revision <= revision) return &record.old[i];
  return nullptr;
}

bool SimStore::is_live(const Str& key) const {
  const auto it = index_.find(key);
  return it != index_.end() && records_[it->second].current.version > 0;
}

// Those that may have a version at `revision`, in the order of their keys.
std::vector<uint32_t> SimStore::records_in(const RangeRequest& range, int64_t revision) const {
  std::vector<uint32_t> out;
  if (range.range_end.empty()) {
    if (const uint32_t index = record_of(range.key); index != kNoRecord) out.push_back(index);
  } else if (revision < revision_) {
    // Keys deleted since then are in index_ only.
    std::map<Str, uint32_t> past;
    for (const auto& [key, index] : index_)
      if (in_range(key, range.key, range.range_end)) past.emplace(key, index);
    for (const auto& [key, index] : past) out.push_back(index);
  } else {
    const auto& keys = ordered_.keys([this](const Str& key) { return is_live(key); });
    for (auto it = std::lower_bound(keys.begin(), keys.end(), range.key); it != keys.end(); ++it) {
      if (!in_range(*it, range.key, range.range_end)) break;
      out.push_back(index_.at(*it));
    }
  }
  return out;
}

Status SimStore::read(const RangeRequest& request, RangeResponse* response) const {
  const int64_t at = request.revision == 0 ? revision_ : request.revision;
  if (at > revision_) return bad_request("required revision is a future revision");
  if (at < compacted_) return compacted_error();
  for (const uint32_t index : records_in(request, at)) {
    const Record& record = records_[index];
    const Version* version = version_at(record, at);
    if (!version || version->version == 0) continue;
    ++response->count;
    if (request.count_only) continue;
    if (request.limit > 0 && static_cast<int64_t>(response->kvs.size()) >= request.limit) {
      response->more = true;
      continue;
    }
    response->kvs.push_back(key_value(record, *version));
    if (request.keys_only) response->kvs.back().value = StoreValue();
  }
  return Status::ok();
}

void SimStore::range(Ticket ticket, RangeRequest request) {
  if (failed(ticket)) return;
  StoreOutcome outcome;
  outcome.status = read(request, &outcome.range);
  answer(ticket, std::move(outcome));
}

uint32_t SimStore::record_of(const Str& key) const {
  if (recent_ != kNoRecord && records_[recent_].key.same(key)) return recent_;
  const auto it = index_.find(key);
  recent_ = it == index_.end() ? kNoRecord : it->second;
  return recent_;
}

bool SimStore::holds(const StoreCompare& compare) const {
  using Target = StoreCompare::Target;
  static const Version kAbsent;
  const uint32_t index = record_of(compare.key);
  const bool live = index != kNoRecord && records_[index].current.version > 0;
  const Version& v = live ? records_[index].current : kAbsent;
  const int64_t number = compare.target == Target::kModRevision      ? v.mod_revision
                         : compare.target == Target::kCreateRevision ? v.create_revision
                                                                     : v.version;
  switch (compare.op) {
    case StoreCompare::Op::kEqual: return number == compare.number;
    case StoreCompare::Op::kGreater: return number > compare.number;
    case StoreCompare::Op::kLess: return number < compare.number;
    default: return number != compare.number;
  }
}

Status SimStore::check_writes(const std::vector<StoreOp>& ops) const {
  std::set<Str> written;
  for (const StoreOp& op : ops) {
    if (op.kind != StoreOp::Kind::kPut) continue;
    if (op.lease != 0 && !leases_.contains(op.lease)) return not_found("requested lease not found");
    if (ops.size() > 1 && !written.insert(op.range.key).second)
      return bad_request("duplicate key given in txn request");
  }
  return Status::ok();
}

void SimStore::txn(Ticket ticket, TxnRequest request) {
  if (failed(ticket)) return;
  StoreOutcome outcome;
  outcome.txn.succeeded = std::all_of(request.compares.begin(), request.compares.end(),
                                      [this](const StoreCompare& c) { return holds(c); });
  auto& ops = outcome.txn.succeeded ? request.success : request.failure;
  outcome.status = check_writes(ops);
  if (!outcome.status.is_ok()) return answer(ticket, std::move(outcome));
  const int64_t next = revision_ + 1;
  outcome.txn.results.reserve(ops.size());
  for (StoreOp& op : ops) {
    TxnResponse::OpResult& result = outcome.txn.results.emplace_back();
    bool wrote = op.kind == StoreOp::Kind::kPut;
    if (op.kind == StoreOp::Kind::kPut) {
      put(op, next, result);
    } else if (op.kind == StoreOp::Kind::kDelete) {
      result.deleted = erase(op.range, next);
      wrote = result.deleted > 0;
    } else {
      outcome.status = read(op.range, &result.range);
    }
    if (wrote) revision_ = next;
  }
  trim_history();
  answer(ticket, std::move(outcome));
}

void SimStore::put(StoreOp& op, int64_t revision, TxnResponse::OpResult& result) {
  uint32_t index = record_of(op.range.key);
  if (index == kNoRecord) {
    if (free_records_.empty()) {
      index = static_cast<uint32_t>(records_.size());
      records_.emplace_back();
    } else {
      index = free_records_.back();
      free_records_.pop_back();
    }
    records_[index].key = op.range.key;
    index_.emplace(op.range.key, index);
  }
  const Version& current = records_[index].current;
  Version next;
  if (op.value.object && op.value.object.has_meta())
    op.value.object.mut_meta().resource_version = Str(str_cat(revision));
  result.stored = op.value.object;
  next.value = std::move(op.value);
  next.create_revision = current.version == 0 ? revision : current.create_revision;
  next.mod_revision = revision;
  next.version = current.version + 1;
  next.lease = op.lease;
  if (current.version == 0) ordered_.add(op.range.key, ++live_, [this](const Str& key) { return is_live(key); });
  if (op.lease != 0) leases_[op.lease].records.push_back(index);
  supersede(index, std::move(next));
}

int64_t SimStore::erase(const RangeRequest& range, int64_t revision) {
  int64_t erased = 0;
  for (const uint32_t index : records_in(range, revision_)) {
    if (records_[index].current.version == 0) continue;
    Version gone;
    gone.mod_revision = revision;
    supersede(index, std::move(gone));
    ordered_.removed();
    --live_;
    ++erased;
  }
  return erased;
}

void SimStore::supersede(uint32_t index, Version next) {
  ++writes_;
  Record& record = records_[index];
  Version previous = std::move(record.current);
  record.current = std::move(next);
  notify(record, previous);
  if (previous.mod_revision > 0) record.old.push_back(std::move(previous));
  log_.push_back({record.current.mod_revision, index});
}

StoreWatchEvent SimStore::event_of(const Record& record, const Version& version, const Version* previous) {
  StoreWatchEvent event;
  event.kind = version.version == 0 ? StoreWatchEvent::Kind::kDelete : StoreWatchEvent::Kind::kPut;
  event.kv = key_value(record, version);
  event.revision = version.mod_revision;
  if (previous && previous->version > 0) event.prev = Ref<KeyValue>::make(key_value(record, *previous));
  return event;
}

void SimStore::notify(const Record& record, const Version& previous) {
  for (auto& [id, watcher] : watchers_) {
    const StoreWatchRequest& request = watcher.request;
    if (watcher.ended || !in_range(record.key, request.key, request.range_end)) continue;
    if (record.current.mod_revision < request.start_revision) continue;
    deliver(id, watcher, event_of(record, record.current, request.prev_kv ? &previous : nullptr));
  }
}

void SimStore::deliver(uint64_t id, Watcher& watcher, StoreWatchEvent event) {
  watcher.pending.push_back(std::move(event));
  if (watcher.pending.size() > 1) return;
  const Event wake{EventKind::kWatch, 0, id, 0};
  if (options_.watch_latency.ns == 0) {
    lanes_->post(watcher.lane, wake);
  } else {
    timers_->arm(watcher.lane, timers_->now() + options_.watch_latency, wake);
  }
}

StoreWatchId SimStore::watch(LaneId lane, StoreWatchRequest request) {
  const uint64_t id = next_watch_++;
  Watcher& watcher = watchers_[id];
  watcher.lane = lane;
  watcher.request = std::move(request);
  const int64_t start = watcher.request.start_revision;
  if (start == 0) return StoreWatchId{id};
  if (start <= compacted_) {
    StoreWatchEvent event;
    event.kind = StoreWatchEvent::Kind::kError;
    event.error = compacted_error();
    deliver(id, watcher, std::move(event));
    watcher.ended = true;
    return StoreWatchId{id};
  }
  for (const LogEntry& entry : log_) {
    const Record& record = records_[entry.record];
    if (entry.revision < start || !in_range(record.key, watcher.request.key, watcher.request.range_end))
      continue;
    const Version* version = version_at(record, entry.revision);
    const Version* previous = version_at(record, entry.revision - 1);
    deliver(id, watcher, event_of(record, *version, watcher.request.prev_kv ? previous : nullptr));
  }
  return StoreWatchId{id};
}

void SimStore::drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) {
  const auto it = watchers_.find(watch.value);
  if (it == watchers_.end()) return;
  auto& pending = it->second.pending;
  if (out.empty()) {
    out = std::exchange(pending, {});
    return;
  }
  out.insert(out.end(), std::make_move_iterator(pending.begin()), std::make_move_iterator(pending.end()));
  pending.clear();
}

void SimStore::unwatch(StoreWatchId watch) { watchers_.erase(watch.value); }

void SimStore::request_progress(StoreWatchId watch) {
  const auto it = watchers_.find(watch.value);
  if (it == watchers_.end() || it->second.ended) return;
  StoreWatchEvent event;
  event.kind = StoreWatchEvent::Kind::kProgress;
  event.revision = revision_;
  deliver(watch.value, it->second, std::move(event));
}

void SimStore::drop_watches() {
  for (auto& [id, watcher] : watchers_) {
    if (watcher.ended) continue;
    StoreWatchEvent event;
    event.kind = StoreWatchEvent::Kind::kError;
    event.error = Status(Code::kExpired, "the watch was dropped");
    deliver(id, watcher, std::move(event));
    watcher.ended = true;
  }
}

void SimStore::compact(Ticket ticket, int64_t revision) {
  if (failed(ticket)) return;
  StoreOutcome outcome;
  if (revision > revision_) {
    outcome.status = bad_request("required revision is a future revision");
  } else if (revision <= compacted_) {
    outcome.status = compacted_error();
  } else {
    forget_until(revision);
  }
  answer(ticket, std::move(outcome));
}

void SimStore::trim_history() {
  if (options_.history_max <= 0 || static_cast<int64_t>(log_.size()) <= 2 * options_.history_max) return;
  forget_until(revision_ - options_.history_max);
}

// After this, reads at `revision` still work, earlier ones do not.
void SimStore::forget_until(int64_t revision) {
  compacted_ = std::max(compacted_, revision);
  while (!log_.empty() && log_.front().revision <= revision) {
    const uint32_t index = log_.front().record;
    log_.pop_front();
    Record& record = records_[index];
    if (record.key.empty()) continue;
    size_t drop = 0;
    while (drop + 1 < record.old.size() && record.old[drop + 1].mod_revision <= revision) ++drop;
    if (record.current.mod_revision <= revision) drop = record.old.size();
    record.old.erase(record.old.begin(), record.old.begin() + static_cast<ptrdiff_t>(drop));
    if (record.old.empty()) std::vector<Version>().swap(record.old);
    if (record.current.version != 0 || record.current.mod_revision > revision) continue;
    index_.erase(record.key);
    recent_ = kNoRecord;
    record = Record();
    free_records_.push_back(index);
  }
}

uint64_t SimStore::digest(uint64_t (*hash_value)(const StoreValue&)) const {
  uint64_t h = hash_combine(0, static_cast<uint64_t>(revision_));
  for (const Str& key : ordered_.keys([this](const Str& k) { return is_live(k); })) {
    const Version& v = records_[index_.at(key)].current;
    h = hash_combine(h, hash_bytes(key));
    h = hash_combine(h, static_cast<uint64_t>(v.mod_revision));
    h = hash_combine(h, hash_value(v.value));
  }
  return h;
}

}  // namespace orrery::sim
