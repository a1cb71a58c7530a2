#include "realmode/etcd/watches.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/str.h"
#include "realmode/etcd/errors.h"

namespace orrery::realmode {
namespace {

constexpr Duration kFirstDelay = Duration::millis(20);
constexpr Duration kLongestDelay = Duration::seconds(1);
// Refusals in a row, each with a new token, that are believed.
constexpr int kRefusalsMax = 3;

bool is_refusal(const WatchBatch& batch) {
  return batch.canceled && (batch.cancel_reason.find("permission denied") != std::string::npos ||
                            batch.cancel_reason.find("invalid auth token") != std::string::npos);
}

}  // namespace

StoreWatchId EtcdWatches::add(LaneId lane, StoreWatchRequest request) {
  const uint64_t id = next_id_++;
  Watch& watch = watches_[id];
  watch.lane = lane;
  watch.next = request.start_revision;
  if (watch.next == 0 && client_->in_contact()) watch.next = client_->seen_revision() + 1;
  watch.request = std::move(request);
  stream_ ? create(id, watch) : connect();
  return StoreWatchId{id};
}

void EtcdWatches::on_contact() {
  for (auto& [id, watch] : watches_)
    if (watch.next == 0) watch.next = client_->seen_revision() + 1;
}

void EtcdWatches::drain(StoreWatchId id, std::vector<StoreWatchEvent>& out) {
  const auto found = watches_.find(id.value);
  if (found == watches_.end()) return;
  auto& pending = found->second.pending;
  out.insert(out.end(), std::make_move_iterator(pending.begin()),
             std::make_move_iterator(pending.end()));
  pending.clear();
}

void EtcdWatches::remove(StoreWatchId id) {
  const auto found = watches_.find(id.value);
  if (found == watches_.end()) return;
  const bool ended = found->second.ended;
  watches_.erase(found);
  if (!stream_ || ended) return;
  etcdserverpb::WatchRequest request;
  request.mutable_cancel_request()->set_watch_id(static_cast<int64_t>(id.value));
  stream_->send(std::move(request));
}

void EtcdWatches::request_progress(StoreWatchId id) {
  const auto found = watches_.find(id.value);
  if (found == watches_.end() || found->second.ended) return;
  found->second.wants_progress = true;
  ask_progress();
}

void EtcdWatches::ask_progress() {
  const bool wanted = std::any_of(watches_.begin(), watches_.end(),
                                  [](const auto& entry) { return entry.second.wants_progress; });
  if (!wanted || !stream_ || !progress_in_order_) return;
  etcdserverpb::WatchRequest request;
  request.mutable_progress_request();
  stream_->send(std::move(request));
}

void EtcdWatches::shut_down() {
  if (stream_) stream_->cancel();
}

// The member's version is asked first: it decides whether its progress can be believed.
void EtcdWatches::connect() {
  if (connecting_ || stream_ || watches_.empty()) return;
  connecting_ = true;
  client_->submit(
      EtcdClient::status_call([this](const Status& status, EtcdClient::StatusCall& call) {
        connecting_ = false;
        if (!status.is_ok()) return connect_later();
        client_->saw(call.response.header().revision());
        open(call.member(), call.response.version());
      }));
}

void EtcdWatches::connect_later() {
  const Duration delay =
      std::min(kLongestDelay, kFirstDelay * (int64_t{1} << std::min(failures_, 8)));
  ++failures_;
  client_->after(delay, [this] { connect(); });
}

void EtcdWatches::open(size_t member, const std::string& version) {
  progress_in_order_ = version_keeps_progress_in_order(version);
  member_ = member;
  token_ = client_->token();
  stream_ = WatchStream::open(
      client_->member(member), token_, &client_->inbox(),
      [this](WatchBatch& batch) { on_batch(batch); },
      [this](const grpc::Status& status) { on_end(status); });
  uncreated_.clear();
  for (const auto& [id, watch] : watches_)
    if (!watch.ended) create(id, watch);
  ask_progress();
}

void EtcdWatches::create(uint64_t id, const Watch& watch) {
  etcdserverpb::WatchRequest request;
  auto* create = request.mutable_create_request();
  create->set_key(watch.request.key.str());
  create->set_range_end(watch.request.range_end.str());
  create->set_start_revision(watch.next);
  create->set_prev_kv(watch.request.prev_kv);
  create->set_watch_id(static_cast<int64_t>(id));
  create->set_fragment(true);
  create->set_progress_notify(true);
  uncreated_.push_back(id);
  stream_->send(std::move(request));
}

void EtcdWatches::on_batch(WatchBatch& batch) {
  failures_ = 0;
  if (batch.watch == WatchBatch::kAllWatches && !batch.canceled) return on_progress(batch.revision);
  const uint64_t id = id_of(batch);
  if (is_refusal(batch)) return on_refusal(id, batch.cancel_reason);
  const auto found = watches_.find(id);
  if (found == watches_.end() || found->second.ended) return;
  Watch& watch = found->second;
  if (batch.compact_revision > 0)
    return end(id, watch, {Code::kExpired, "etcd: required revision has been compacted"});
  if (batch.canceled)
    return end(id, watch,
               {Code::kServiceUnavailable, str_cat("etcd: watch canceled: ", batch.cancel_reason)});
  if (batch.created) {
    watch.refusals = 0;
    if (watch.next == 0) watch.next = batch.revision + 1;
    return;
  }
  if (batch.events.empty()) {
    watch.next = std::max(watch.next, batch.revision + 1);
    return;
  }
  for (StoreWatchEvent& event : batch.events)
    if (event.revision >= watch.next) watch.fragments.push_back(std::move(event));
  tell_whole_revisions(id, watch, batch.fragment);
}

// A revision is told as a whole: the last one of a fragment may go on in the next. The others are
// told at once, so that a stream which breaks in the middle of a long history has come further.
void EtcdWatches::tell_whole_revisions(uint64_t id, Watch& watch, bool goes_on) {
  auto& events = watch.fragments;
  auto end = events.end();
  if (goes_on)
    while (end != events.begin() && std::prev(end)->revision == events.back().revision) --end;
  if (end == events.begin()) return;
  std::vector<StoreWatchEvent> rest(std::make_move_iterator(end),
                                    std::make_move_iterator(events.end()));
  events.erase(end, events.end());
  watch.next = events.back().revision + 1;
  tell(id, watch, std::exchange(events, std::move(rest)));
}

void EtcdWatches::on_progress(int64_t revision) {
  for (auto& [id, watch] : watches_) {
    if (!watch.wants_progress || watch.ended) continue;
    watch.wants_progress = false;
    StoreWatchEvent event;
    event.kind = StoreWatchEvent::Kind::kProgress;
    event.revision = revision;
    tell(id, watch, {std::move(event)});
  }
}

// etcd 3.5 does not say which watch it refuses to create; they are answered in the order in which
// they were asked for.
uint64_t EtcdWatches::id_of(const WatchBatch& batch) {
  const auto named = static_cast<uint64_t>(batch.watch);
  if (!batch.created || uncreated_.empty()) return named;
  const uint64_t id = uncreated_.front();
  uncreated_.pop_front();
  return batch.watch < 0 ? id : named;
}

// etcd 3.4 refuses for an expired token in the same words, and listens to the stream no more: the
// other watches need a new one in any case.
void EtcdWatches::on_refusal(uint64_t id, const std::string& reason) {
  const auto found = watches_.find(id);
  const bool waits = found != watches_.end() && !found->second.ended;
  if (waits && (token_.empty() || ++found->second.refusals > kRefusalsMax)) {
    end(id, found->second, {Code::kForbidden, str_cat("etcd: ", reason)});
  } else {
    client_->drop_token(token_);
  }
  stream_->cancel();
}

void EtcdWatches::on_end(const grpc::Status& status) {
  const std::unique_ptr<WatchStream> ended = std::move(stream_);  // runs this very function
  for (auto& [id, watch] : watches_) watch.fragments.clear();
  const EtcdFailure failure = etcd_failure(status.error_code(), status.error_message());
  if (failure.bad_token) client_->drop_token(token_);
  if (failure.transient) client_->leave(member_);
  connect_later();
}

void EtcdWatches::tell(uint64_t id, Watch& watch, std::vector<StoreWatchEvent> events) {
  const bool first = watch.pending.empty();
  for (StoreWatchEvent& event : events) watch.pending.push_back(std::move(event));
  if (first) lanes_->post(watch.lane, {EventKind::kWatch, 0, id, 0});
}

void EtcdWatches::end(uint64_t id, Watch& watch, Status error) {
  watch.ended = true;
  StoreWatchEvent event;
  event.kind = StoreWatchEvent::Kind::kError;
  event.error = std::move(error);
  tell(id, watch, {std::move(event)});
}

}  // namespace orrery::realmode
