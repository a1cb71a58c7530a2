// How a server keeps up with a store that others write to: reads of the newest state, answers that
// wait for the caches, refusals that are decided again, its own writes among the changes.
// Source: Kubernetes v1.32 apiserver/pkg/storage/cacher (ready and fresh waits), etcd3/store.go
// (GuaranteedUpdate with a cached object).
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

const char* const kRegistry = "/registry/";
const char* const kRegistryEnd = "/registry0";
const std::string_view kFirstKey("\0", 1);

// As blockTimeout of the watch cache.
constexpr Duration kPatience = Duration::seconds(3);
constexpr Duration kCheckPeriod = Duration::seconds(1);

}  // namespace

void Server::read_store() {
  RangeRequest all;
  all.key = kRegistry;
  all.range_end = kRegistryEnd;
  store_->range({lane_, kInitialRange}, all);
}

// Where requests wait for revisions, those of all keys are followed: one that is awaited may be of a
// write outside of the registry (the compactor's, or another program's).
void Server::watch_store(int64_t from) {
  const bool all = options_.serves_clients && may_watch_all_;
  StoreWatchRequest request;
  request.key = all ? Str(kFirstKey) : Str(kRegistry);
  request.range_end = all ? Str(kFirstKey) : Str(kRegistryEnd);
  request.start_revision = from;
  store_watch_ = store_->watch(lane_, request);
}

// Changes have been missed: who watches has to begin again. Watches of ownership are told of the
// difference when the store has been read.
void Server::end_watches() {
  for (const auto& [id, watch] : watches_) {
    if (!watch.kind || !caches_[storage_kind(*watch.kind).id].remove_watch(id)) continue;
    WatchEvent event;
    event.type = WatchEventType::kError;
    event.error = Status(Code::kExpired, "the server's watch of its store has been lost: list again");
    deliver(id, std::move(event));
  }
}

WatchId Server::watch_newest(LaneId lane, const WatchSpec& spec) {
  if (!options_.shares_store || !ready_) return watch(lane, spec);
  const uint64_t id = next_watch_++;
  watches_[id] = {lane, spec.kind, {}, false};
  unborn_watches_[id] = spec;
  InFlight flight;
  flight.outside.mut().begins_watch = id;
  ask_revision(flights_.put(std::move(flight)));
  return WatchId{id};
}

bool Server::asks_newest(const InFlight& flight) const {
  if (!options_.shares_store || flight.newest) return false;
  const ApiRequest& request = flight.request;
  const bool reads = request.verb == ApiVerb::kGet || request.verb == ApiVerb::kList ||
                     request.verb == ApiVerb::kDeleteCollection;
  return reads && request.resource_version.empty() && request.continue_token.empty();
}

// One question serves all requests that came before it was sent.
void Server::ask_revision(uint64_t id) {
  will_ask_.push_back(id);
  if (asking_.empty()) send_question();
}

void Server::send_question() {
  asking_ = std::exchange(will_ask_, {});
  RangeRequest question;
  question.key = kRegistry;
  question.count_only = true;
  store_->range({lane_, kRevisionQuestion}, question);
}

void Server::on_revision(const StoreOutcome& outcome) {
  const std::vector<uint64_t> asked = std::exchange(asking_, {});
  if (!will_ask_.empty()) send_question();
  if (outcome.revision > revision_ && !may_watch_all_) store_->request_progress(store_watch_);
  for (uint64_t id : asked) {
    InFlight& flight = flights_.at(id);
    flight.newest = true;
    if (outcome.status.is_ok()) {
      await(id, outcome.revision, true);
      continue;
    }
    ApiResponse response;
    response.status = outcome.status;
    flight.answer = Ref<ApiResponse>::make(std::move(response));
    flight.goes_on = false;
    go_on(id);
  }
}

bool Server::waits_for(uint64_t id, int64_t revision) {
  if (!options_.shares_store || revision <= revision_) return false;
  await(id, revision, true);
  return true;
}

void Server::await(uint64_t id, int64_t revision, bool goes_on) {
  InFlight& flight = flights_.at(id);
  flight.outside.mut().awaited = revision;
  flight.goes_on = goes_on;
  if (revision <= revision_) return go_on(id);
  flight.outside.mut().waits_until = timers_->now() + kPatience;
  waiting_.emplace(revision, id);
  if (!options_.shares_store || watching_waits_) return;
  watching_waits_ = true;
  timers_->arm(lane_, timers_->now() + kCheckPeriod, {EventKind::kUser, kCheckWaits, 0, 0});
}

void Server::go_on(uint64_t id) {
  InFlight& flight = flights_.at(id);
  if (const uint64_t watch = flight.outside->begins_watch) {
    const Status failure = flight.goes_on ? Status::ok() : flight.answer->status;
    flights_.take(id);
    if (failure.is_ok()) return begin_watch(watch);
    unborn_watches_.erase(watch);
    WatchEvent event;
    event.type = WatchEventType::kError;
    event.error = failure;
    return deliver(watch, std::move(event));
  }
  if (!flight.goes_on) return finish(id, std::move(flight.answer.mut()));
  flight.goes_on = false;
  carry_out(id, timers_->now());
}

// What has been written is answered all the same; what waits to be read is not there yet.
void Server::give_up_waiting(Time now) {
  watching_waits_ = false;
  std::vector<uint64_t> tired;
  std::erase_if(waiting_, [&](const auto& entry) {
    const bool over = flights_.at(entry.second).outside->waits_until <= now;
    if (over) tired.push_back(entry.second);
    return over;
  });
  for (uint64_t id : tired) {
    InFlight& flight = flights_.at(id);
    if (flight.goes_on) flight.answer = Ref<ApiResponse>::make(too_large_version(flight.outside->awaited, revision_));
    flight.goes_on = false;
    go_on(id);
  }
  if (waiting_.empty()) return;
  watching_waits_ = true;
  timers_->arm(lane_, now + kCheckPeriod, {EventKind::kUser, kCheckWaits, 0, 0});
}

// What the caches made the server refuse may have been overtaken by others.
void Server::refuse(uint64_t id, ApiResponse response) {
  if (!options_.shares_store || flights_.at(id).newest) return finish(id, std::move(response));
  ask_revision(id);
}

// What is written comes back as bytes, and most of what a server sees in its store it has written itself.
api::Object Server::own_write(const KeyValue& kv) const {
  const auto own = own_writes_.find(kv.key);
  if (own == own_writes_.end() || kv.value.bytes.empty()) return {};
  const InFlight& flight = flights_.at(own->second);
  return flight.outside->stored == kv.value.bytes ? flight.written : api::Object();
}

void Server::forget_own_write(uint64_t id) {
  const auto own = own_writes_.find(flights_.at(id).key);
  if (own != own_writes_.end() && own->second == id) own_writes_.erase(own);
}

}  // namespace orrery::server
