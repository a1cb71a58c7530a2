#include "engine/server/server.h"

#include "engine/api/custom_object.h"
#include "engine/server/defaulting.h"
#include "engine/server/errors.h"
#include "engine/server/scale.h"
#include "engine/server/storage.h"

namespace orrery::server {

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
  const bool passed_on = flights_.at(id).outside->passed_on;
  if (options_.serves_clients && !collection) warn_of_orphans(asked, response);
  response.audit_annotations = flights_.at(id).outside->audit_annotations;
  forget_own_write(id);
  flights_.take(id);
  if (collection) return on_collected(collection, passed_on, std::move(response));
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
