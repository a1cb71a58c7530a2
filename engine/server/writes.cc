// What has been decided is written, in one transaction with what it depends on, or decided again.
#include <utility>

#include "engine/api/custom_object.h"
#include "engine/api/storage.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {

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
  if (const uint64_t all = flight.outside->collection; all && !std::exchange(flight.outside.mut().passed_on, true)) begin_next_delete(all);
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

}  // namespace orrery::server
