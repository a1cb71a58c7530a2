#include "engine/server/server.h"

#include <unordered_set>

#include "engine/api/codec_proto.h"
#include "engine/server/defaulting.h"
#include "engine/api/storage.h"
#include "engine/server/errors.h"
#include "engine/server/scale.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

constexpr Duration kRetryDelay = Duration::seconds(1);

}  // namespace

Server::Server(const Env& env, Store* store, Options options)
    : lanes_(env.lanes),
      timers_(env.timers),
      store_(store),
      options_(options),
      lane_(env.lanes->open("apiserver", this)),
      uids_(env.rng.stream("server/uid")),
      names_(env.rng.stream("server/generate-name")),
      caches_(api::all_kinds().size()),
      tolerations_(usual_tolerations()),
      services_(options.services) {
  if (options_.serves_clients)
    for (WatchCache& cache : caches_) cache.keep_history(kHistoryMax);
  lanes_->post(lane_, {EventKind::kStart, 0, 0, 0});
}

// The kind that a key of the store belongs to, nullptr if none of ours.
const api::KindDesc* Server::kind_of_key(std::string_view key) const {
  for (const api::KindDesc* kind : api::all_kinds())
    if (!kind->storage_prefix.empty() && key.starts_with(kind->storage_prefix)) return kind;
  return custom_.kind_of_key(key);
}

std::unique_ptr<Server> Server::fork(const Env& env, Store* store) const {
  auto copy = std::make_unique<Server>(*this);
  copy->lanes_ = env.lanes;
  copy->timers_ = env.timers;
  copy->store_ = store;
  return copy;
}

std::unique_ptr<Component> Server::clone(const Env& env) const { return fork(env, store_); }

Str Server::store_key(const api::KindDesc& kind, std::string_view ns, std::string_view name) {
  if (!kind.namespaced) return Str(str_cat(kind.storage_prefix, name));
  return Str(str_cat(kind.storage_prefix, ns, "/", name));
}

void Server::handle(const Ctx& ctx, const Event& event) {
  switch (event.kind) {
    case EventKind::kStart: return read_store();
    case EventKind::kDone:
      if (event.a == kInitialRange) return on_initial_range(store_->take(event.b));
      if (event.a == kRevisionQuestion) return on_revision(store_->take(event.b));
      if (event.a == kProbe) return on_probed(store_->take(event.b));
      if (flights_.at(event.a).calling) return on_call_done(event.a, http_->take(event.b), ctx.now);
      return on_store_done(event.a, store_->take(event.b), ctx.now);
    case EventKind::kWatch: return on_store_watch();
    default: break;
  }
  if (event.arg == kBegin) begin(event.a, ctx.now);
  if (event.arg == kBeginWatch) begin_watch(event.a);
  if (event.arg == kCheckWaits) give_up_waiting(ctx.now);
  if (event.arg == kReadStore) read_store();
}

void Server::on_initial_range(const StoreOutcome& outcome) {
  if (!outcome.status.is_ok() && options_.shares_store) {
    timers_->arm(lane_, timers_->now() + kRetryDelay, {EventKind::kUser, kReadStore, 0, 0});
    return;
  }
  CHECK(outcome.status.is_ok()) << "the store cannot be read: " << outcome.status.message();
  revision_ = outcome.revision;
  unreadable_.clear();
  drop_missing(outcome);
  for (const KeyValue& kv : outcome.range.kvs) services_.note(kv);
  // Definitions first: they tell what the other keys are.
  const api::KindDesc* definitions = apiextensionsv1::CustomResourceDefinition::descriptor().kind;
  for (const bool of_definitions : {true, false}) {
    for (const KeyValue& kv : outcome.range.kvs) {
      const api::KindDesc* kind = kind_of_key(kv.key);
      if (kind && (kind == definitions) == of_definitions) take_in(*kind, kv);
    }
  }
  for (WatchCache& cache : caches_) cache.begin_history(outcome.revision);
  watch_store(outcome.revision + 1);
  ready_ = true;
  for (const auto& [id, spec] : unborn_watches_) lanes_->post(lane_, {EventKind::kUser, kBeginWatch, id, 0});
  for (uint64_t id : early_) lanes_->post(lane_, {EventKind::kUser, kBegin, id, 0});
  early_.clear();
  finish_waiting();
}

// After a lost watch: what the caches hold and the store does not is gone.
void Server::drop_missing(const StoreOutcome& outcome) {
  std::unordered_set<Str> present;
  for (const KeyValue& kv : outcome.range.kvs) present.insert(kv.key);
  const auto drop = [&](const api::KindDesc& kind) {
    for (const Str& key : std::vector<Str>(caches_[kind.id].keys()))
      if (!present.contains(key)) publish(kind, key, {}, outcome.revision);
  };
  const auto custom = custom_.all();
  for (const auto& [name, resource] : custom) drop(*resource->storage);
  for (const api::KindDesc* kind : api::all_kinds()) drop(*kind);
}

void Server::on_store_watch() {
  std::vector<StoreWatchEvent> events;
  store_->drain(store_watch_, events);
  for (StoreWatchEvent& event : events) {
    if (event.kind == StoreWatchEvent::Kind::kError) {
      // The cache may have missed changes: read everything again.
      ready_ = false;
      if (event.error.code() == Code::kForbidden) may_watch_all_ = false;
      if (options_.serves_clients) end_watches();
      store_->unwatch(store_watch_);
      return read_store();
    }
    revision_ = event.revision;
    if (event.kind == StoreWatchEvent::Kind::kProgress) continue;
    const api::Object& given = event.kv.value.object;
    const api::KindDesc* kind = given && !api::is_custom(*given.kind()) ? given.kind() : kind_of_key(event.kv.key);
    if (services_.note(event.kv)) continue;
    if (kind) take_in(*kind, event.kv);
  }
  finish_waiting();
}

// Kinds that are stored as JSON tell nil lists from empty ones.
void Server::share_parts(api::Object& object) {
  const api::KindDesc& kind = *object.kind();
  if (options_.serves_clients && !api::is_custom(kind) && !api::is_stored_as_json(kind)) parts_.share(object);
}

void Server::publish(const api::KindDesc& kind, const Str& key, const api::Object& object, int64_t revision) {
  WatchCache& cache = caches_[kind.id];
  const WatchCache::Entry* known = cache.find(key);
  if (known && object && known->revision >= revision) return;
  api::Object versioned = object;
  if (const std::string version = str_cat(revision); versioned && versioned.meta().resource_version.view() != version)
    versioned.mut_meta().resource_version = Str(version);
  const api::Object before = known ? known->object : api::Object();
  if (kind.type == &apiextensionsv1::CustomResourceDefinition::descriptor()) on_definition(before, versioned);
  if (observer_) observer_->on_change(kind, before, versioned);
  WatchCache::Deliveries deliveries;
  cache.apply(key, versioned, revision, deliveries);
  for (auto& [id, event] : deliveries) deliver(id, std::move(event));
  if (!ownership_.empty() || !await_deletion_.empty()) tell_of_ownership(kind, before, versioned);
  if (kind.type == &apiextensionsv1::CustomResourceDefinition::descriptor() && versioned) tend_definition(versioned.meta().name);
  if (api::is_custom(kind) && !versioned) tend_definition(custom_version(kind).resource->definition);
}

void Server::deliver(uint64_t id, WatchEvent event) {
  const auto it = watches_.find(id);
  if (it == watches_.end()) return;
  const api::KindDesc* kind = it->second.kind;
  if (kind && api::is_custom(*kind)) return deliver_custom(id, it->second, std::move(event));
  hand_over(id, it->second, std::move(event));
}

void Server::hand_over(uint64_t id, WatchEvent event) {
  const auto it = watches_.find(id);
  if (it != watches_.end()) hand_over(id, it->second, std::move(event));
}

void Server::hand_over(uint64_t id, Watch& watch, WatchEvent event) {
  watch.pending.push_back(std::move(event));
  if (watch.pending.size() == 1) lanes_->post(watch.lane, {EventKind::kWatch, 0, id, 0});
}

WatchId Server::watch(LaneId lane, const WatchSpec& spec) {
  if (!spec.kind && spec.from_first_deletion) {
    // A number apart, so that those of other watches do not depend on it.
    const uint64_t id = UINT64_MAX - await_deletion_.size();
    watches_[id] = {lane, nullptr, {}, false};
    await_deletion_.push_back(id);
    return WatchId{id};
  }
  const uint64_t id = next_watch_++;
  watches_[id] = {lane, spec.kind, {}, false};
  unborn_watches_[id] = spec;
  if (ready_) lanes_->post(lane_, {EventKind::kUser, kBeginWatch, id, 0});
  return WatchId{id};
}

void Server::begin_watch(uint64_t id) {
  const auto it = unborn_watches_.find(id);
  if (it == unborn_watches_.end()) return;
  const WatchSpec spec = it->second;
  unborn_watches_.erase(it);
  if (!spec.kind) return begin_ownership_watch(id);
  auto selection = Selection::make(*spec.kind, spec.ns, spec.label_selector, spec.field_selector);
  if (!selection.is_ok()) {
    WatchEvent failed;
    failed.type = WatchEventType::kError;
    failed.error = selection.status();
    return deliver(id, std::move(failed));
  }
  WatchCache& cache = caches_[storage_kind(*spec.kind).id];
  if (spec.after_revision > 0) {
    std::vector<WatchEvent> missed;
    if (!cache.replay(*selection, spec.after_revision, missed)) {
      WatchEvent failed;
      failed.type = WatchEventType::kError;
      failed.error = Status(Code::kExpired, str_cat("too old resource version: ", spec.after_revision, " (",
                                                    cache.history_begin(), ")"));
      return deliver(id, std::move(failed));
    }
    for (WatchEvent& event : missed) deliver(id, std::move(event));
  } else {
    for (api::Object& object : cache.list(*selection)) deliver(id, {WatchEventType::kAdded, std::move(object), {}});
  }
  deliver(id, {WatchEventType::kSynced, {}, {}, revision_});
  cache.add_watch(id, std::move(*selection), spec.after_revision);
}

void Server::drain(WatchId watch, std::vector<WatchEvent>& out) {
  const auto it = watches_.find(watch.value);
  if (it == watches_.end()) return;
  auto& pending = it->second.pending;
  if (out.empty()) {
    out.swap(pending);
    return;
  }
  out.insert(out.end(), std::make_move_iterator(pending.begin()), std::make_move_iterator(pending.end()));
  forget(pending);
}

void Server::unwatch(WatchId watch) {
  const auto it = watches_.find(watch.value);
  if (it == watches_.end()) return;
  if (it->second.kind) caches_[storage_kind(*it->second.kind).id].remove_watch(watch.value);
  std::erase(ownership_, watch.value);
  std::erase(await_deletion_, watch.value);
  unborn_watches_.erase(watch.value);
  watches_.erase(it);
}

void Server::call(Ticket ticket, ApiRequest request) {
  InFlight flight;
  flight.ticket = ticket;
  flight.request = std::move(request);
  const uint64_t id = flights_.put(std::move(flight));
  const Event event{EventKind::kUser, kBegin, id, 0};
  if (options_.latency.ns == 0) {
    lanes_->post(lane_, event);
  } else {
    timers_->arm(lane_, timers_->now() + options_.latency, event);
  }
}

void Server::finish(uint64_t id, ApiResponse response) {
  if (!convert_answer(id, response)) return;
  const ApiRequest& asked = flights_.at(id).request;
  if (asked.verb == ApiVerb::kGet && asked.subresource == "scale" && response.object)
    response.object = scale_of(response.object);
  const Ticket ticket = flights_.at(id).ticket;
  const uint64_t collection = flights_.at(id).outside->collection;
  response.audit_annotations = flights_.at(id).outside->audit_annotations;
  forget_own_write(id);
  flights_.take(id);
  if (collection) return on_collected(collection, std::move(response));
  if (!ticket.lane.valid()) return;
  lanes_->post(ticket.lane, {EventKind::kDone, 0, ticket.op, responses_.put(std::move(response))});
}

void Server::begin(uint64_t id, Time now) {
  if (!ready_) return early_.push_back(id);
  ++counters_.requests;
  if (asks_newest(flights_.at(id))) return ask_revision(id);
  carry_out(id, now);
}

void Server::carry_out(uint64_t id, Time now) {
  const ApiRequest& request = flights_.at(id).request;
  if (!request.kind || storage_kind(*request.kind).storage_prefix.empty()) {
    ApiResponse response;
    response.status = no_such_resource();
    return finish(id, std::move(response));
  }
  if (request.verb == ApiVerb::kGet) return get(id);
  if (request.verb == ApiVerb::kList) return list(id);
  if (request.verb == ApiVerb::kDeleteCollection) return delete_collection(id);
  api::Object& object = flights_.at(id).request.object;
  const bool custom = api::is_custom(*request.kind);
  if (object && object.kind() == request.kind && !custom) object = convert(object, storage_kind(*request.kind));
  execute(id, now);
}

void Server::submit(uint64_t id, Plan plan, int64_t expected_revision) {
  InFlight& flight = flights_.at(id);
  if (!plan.call && ask_conversion(id, Then::kExecute)) return;
  if (plan.call) {
    flight.calling = true;
    if (!http_) return on_call_done(id, {Status(Code::kServiceUnavailable, "there is no HTTP client"), {}}, timers_->now());
    return http_->call({lane_, id}, std::move(*plan.call));
  }
  const api::KindDesc& kind = storage_kind(*flight.request.kind);
  if (!plan.write || flight.request.dry_run) {
    if (plan.object && options_.serves_clients) make_as_stored(plan.object);
    if (plan.response.status.is_ok() && !plan.response.object) plan.response.object = plan.object;
    return refuse(id, std::move(plan.response));
  }
  if (plan.object) plan.object.mut_meta().resource_version = Str();
  if (plan.object && api::is_custom(kind)) {
    Outside& outside = flight.outside.mut();
    const api::Object stored = outside.conversions.find(plan.object, kind);
    if (!stored) {
      outside.plan = std::make_shared<Plan>(std::move(plan));
      flight.expected_revision = expected_revision;
      ask_conversion(id, Then::kSubmit);
      return;
    }
    plan.object = stored;
  }
  if (plan.object && options_.serves_clients) make_as_stored(plan.object);
  if (plan.object) share_parts(plan.object);
  // As upstream: what is charged has its own version, and stays charged if the write then fails.
  if (plan.charges_first) plan.spares_object = plan.again = true;
  flight.again = plan.again;
  flight.spares_object = plan.spares_object;
  forget_own_write(id);
  if (expected_revision == 0) flight.key = store_key(kind, plan.object.meta().namespace_, plan.object.meta().name);
  flight.erases = !plan.object;
  flight.written = plan.object ? plan.object : plan.response.object;
  if (kind.type == &corev1::Service::descriptor() && !plan.spares_object) book_service(flight.key, plan);
  flight.created = plan.response.created;
  const bool more_to_say = !plan.response.status.is_ok() || plan.response.object || plan.response.gone || !plan.response.warnings.empty();
  flight.answer = more_to_say ? Ref<ApiResponse>::make(std::move(plan.response)) : Ref<ApiResponse>();
  TxnRequest txn;
  txn.compares = std::move(plan.compares);
  txn.compares.push_back({flight.key, StoreCompare::Target::kModRevision, StoreCompare::Op::kEqual, expected_revision});
  flight.expected_revision = expected_revision;
  StoreOp op;
  op.kind = plan.object ? StoreOp::Kind::kPut : StoreOp::Kind::kDelete;
  op.range.key = flight.key;
  // A store may outlive the kinds that definitions have made: it is given their objects as bytes.
  const bool as_object = store_->keeps_objects() && !api::is_custom(kind);
  if (plan.object && as_object) {
    op.value.object = std::move(plan.object);
    flight.written = api::Object();
  } else if (plan.object) {
    op.value.bytes = Str(api::encode_storage(plan.object));
    flight.outside.mut().stored = op.value.bytes;
    own_writes_[flight.key] = id;
  }
  txn.success = std::move(plan.more);
  if (!plan.spares_object) txn.success.push_back(std::move(op));
  // What is compared is read if it has changed, the object itself first.
  for (size_t i = txn.compares.size(); i-- > 0;) {
    StoreOp read;
    read.kind = StoreOp::Kind::kRange;
    read.range.key = txn.compares[i].key;
    txn.failure.push_back(std::move(read));
  }
  if (options_.serves_clients) flight.outside.mut().asked = timers_->now();
  store_->txn({lane_, id}, std::move(txn));
}

// What the store has now is newer than the cache. False: tried too often.
bool Server::learn(InFlight& flight, const TxnResponse& txn) {
  constexpr int kAttemptsMax = 16, kOthersMax = 1000;
  const KeyValue* own = nullptr;
  for (const auto& result : txn.results) {
    if (result.range.kvs.empty()) continue;
    const KeyValue& kv = result.range.kvs[0];
    if (kv.key == flight.key) own = &kv;
    // What the caches are past they know better: it may be gone by now.
    if (options_.serves_clients || kv.mod_revision <= revision_) continue;
    if (const api::KindDesc* kind = kind_of_key(kv.key)) take_in(*kind, kv);
  }
  // Of something else (a quota) that many write at once, someone's write succeeds in every round.
  const bool own_changed = (own ? own->mod_revision : 0) != flight.expected_revision;
  if (own_changed) {
    ++flight.attempts;
    forget_answers(flight);
  }
  return own_changed ? flight.attempts < kAttemptsMax : ++flight.other_attempts < kOthersMax;
}

// Something else has been written first: decide again.
void Server::on_lost(uint64_t id, const StoreOutcome& outcome, Time now) {
  InFlight& flight = flights_.at(id);
  ++counters_.conflicts;
  if (!learn(flight, outcome.txn)) {
    ApiResponse response;
    response.status = stale_error(*flight.request.kind, flight.request.name);
    return finish(id, std::move(response));
  }
  if (options_.serves_clients) return await(id, outcome.revision, true);
  execute(id, now);
}

void Server::on_store_done(uint64_t id, StoreOutcome outcome, Time now) {
  InFlight& flight = flights_.at(id);
  if (options_.serves_clients)
    store_times_.answered(flight.request, timers_->now() - flight.outside->asked, !outcome.status.is_ok());
  if (flight.ranges) return on_old_list(id, outcome);
  if (!outcome.status.is_ok()) {
    ApiResponse response;
    response.status = outcome.status;
    return finish(id, std::move(response));
  }
  if (!outcome.txn.succeeded) return on_lost(id, outcome, now);
  ++counters_.writes;
  api::Object stored;
  if (!flight.spares_object) stored = std::move(outcome.txn.results.back().stored);
  if (stored) flight.written = stored;
  if (flight.again) {
    flight.proceeds = true;
    if (options_.serves_clients) return await(id, outcome.revision, true);
    if (!flight.spares_object) publish(storage_kind(*flight.request.kind), flight.key, flight.written, outcome.revision);
    return execute(id, now);
  }
  ApiResponse response = flight.answer ? std::move(flight.answer.mut()) : ApiResponse();
  response.created = flight.created;
  if (flight.spares_object) return finish_at(id, outcome.revision, std::move(response));
  const auto* entry = stored ? nullptr : caches_[storage_kind(*flight.request.kind).id].find(flight.key);
  if (stored) {
    response.object = stored;
  } else if (entry && entry->revision == outcome.revision) {
    response.object = entry->object;
  } else {
    // An update that takes the last finalizer away is answered with what the object last was.
    const bool removed_by_update = flight.erases && flight.request.verb != ApiVerb::kDelete;
    const Str before = flight.written.meta().resource_version;
    response.object = flight.written;
    response.object.mut_meta().resource_version = removed_by_update && !before.empty() ? before : Str(str_cat(outcome.revision));
  }
  finish_at(id, outcome.revision, std::move(response));
}

// Admission begins again, with one more answer.
void Server::on_call_done(uint64_t id, HttpCallOutcome outcome, Time now) {
  InFlight& flight = flights_.at(id);
  flight.calling = false;
  Outside& outside = flight.outside.mut();
  if (outside.after_conversion != Then::kNothing) return on_conversion(id, outcome, now);
  outside.answers.push_back(std::move(outcome));
  execute(id, now);
}

// Who has written must find it in the next answer: an outcome may overtake the watch.
void Server::finish_at(uint64_t id, int64_t revision, ApiResponse response) {
  if (revision <= revision_ || !options_.serves_clients) return finish(id, std::move(response));
  flights_.at(id).answer = Ref<ApiResponse>::make(std::move(response));
  await(id, revision, false);
}

void Server::finish_waiting() {
  while (!waiting_.empty() && waiting_.begin()->first <= revision_) {
    const uint64_t id = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    go_on(id);
  }
}

const api::KindDesc* Server::find_resource(std::string_view group, std::string_view version, std::string_view plural) const {
  const api::KindDesc* kind = api::find_resource(group, version, plural);
  return kind ? kind : custom_.find(group, version, plural);
}

const api::KindDesc* Server::find_kind(std::string_view api_version, std::string_view kind) const {
  const api::KindDesc* found = api::find_kind(api_version, kind);
  if (found) return storage_kind(*found).storage_prefix.empty() ? nullptr : found;
  return custom_.find_kind(api_version, kind);
}

std::vector<api::Object> Server::list(const api::KindDesc& kind, std::string_view ns) const {
  Selection selection;
  selection.ns = Str(ns);
  return caches_[kind.id].list(selection);
}

api::Object Server::find(const api::KindDesc& kind, std::string_view ns, std::string_view name) const {
  const auto* entry = caches_[kind.id].find(store_key(kind, ns, name));
  return entry ? entry->object : api::Object();
}

}  // namespace orrery::server
