// Requests and watches that wait for a webhook which converts custom resources.
#include <set>

#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

Str feed_name_of(const api::KindDesc& kind) { return Str(str_cat(kind.api_version, "/", kind.plural)); }

}  // namespace

bool Server::ask_conversion(uint64_t id, Then then) {
  InFlight& flight = flights_.at(id);
  if (!flight.outside->conversions.incomplete()) return false;
  Outside& outside = flight.outside.mut();
  outside.after_conversion = then;
  outside.review_uid = random_uid(uids_);
  HttpCall call = outside.conversions.call(outside.review_uid);
  if (http_) {
    flight.calling = true;
    http_->call({lane_, id}, std::move(call));
    return true;
  }
  HttpCallOutcome outcome;
  outcome.status = Status(Code::kServiceUnavailable, "webhooks cannot be called from here");
  on_conversion(id, outcome, timers_->now());
  return true;
}

void Server::on_conversion(uint64_t id, const HttpCallOutcome& outcome, Time now) {
  InFlight& flight = flights_.at(id);
  Outside& outside = flight.outside.mut();
  const Then then = std::exchange(outside.after_conversion, Then::kNothing);
  const Status status = outside.conversions.take(outcome, outside.review_uid);
  if (then == Then::kFeed) {
    const Str feed = feed_name_of(*flight.request.kind);
    return status.is_ok() ? pass_on(feed) : end_feed(feed, status);
  }
  if (!status.is_ok()) {
    ApiResponse failed;
    failed.status = status;
    failed.unclassified = true;
    return finish(id, std::move(failed));
  }
  if (then == Then::kExecute) return execute(id, now);
  if (then == Then::kFinish) return finish(id, std::move(flight.answer.mut()));
  const std::shared_ptr<Plan> plan = std::exchange(outside.plan, nullptr);
  submit(id, std::move(*plan), flight.expected_revision);
}

// Answers are in the version that was asked for. False: the answer waits for a webhook.
bool Server::convert_answer(uint64_t id, ApiResponse& response) {
  InFlight& flight = flights_.at(id);
  const api::KindDesc* kind = flight.request.kind;
  const bool is_asked_for = flight.ticket.lane.valid() && !flight.outside->collection;
  if (!kind || !api::is_custom(*kind) || !response.status.is_ok() || !is_asked_for) return true;
  ApiResponse converted = response;
  const auto convert = [&](api::Object& object) {
    if (object && object.kind() && api::is_custom(*object.kind())) object = flight.outside.mut().conversions.find(object, *kind);
  };
  convert(converted.object);
  for (api::Object& item : converted.items) convert(item);
  if (!flight.outside->conversions.incomplete()) {
    response = std::move(converted);
    return true;
  }
  flight.answer = Ref<ApiResponse>::make(std::move(response));
  ask_conversion(id, Then::kFinish);
  return false;
}

// What has to be converted by a webhook waits for it, and what follows waits behind it.
void Server::deliver_custom(uint64_t id, const Watch& watch, WatchEvent event) {
  const auto of_other_kind = [&] { return event.object && event.object.kind() != watch.kind; };
  if (feeds_.empty() && !of_other_kind()) return hand_over(id, std::move(event));
  const Str name = feed_name_of(*watch.kind);
  if (const auto feed = feeds_.find(name); feed != feeds_.end()) {
    feed->second.waiting.emplace_back(id, std::move(event));
    return;
  }
  if (!of_other_kind()) return hand_over(id, std::move(event));
  // The definition may have changed since the watch began.
  const api::KindDesc* now = custom_.find(watch.kind->group, watch.kind->version, watch.kind->plural);
  InFlight flight;
  flight.request.kind = now ? now : watch.kind;
  if (api::Object converted = flight.outside.mut().conversions.find(event.object, *flight.request.kind)) {
    event.object = std::move(converted);
    return hand_over(id, std::move(event));
  }
  Feed& feed = feeds_[name];
  feed.waiting.emplace_back(id, std::move(event));
  feed.flight = flights_.put(std::move(flight));
  ask_conversion(feed.flight, Then::kFeed);
}

// Hands over what is known in the version of the feed, and asks for the rest at once.
void Server::pass_on(const Str& feed_name) {
  Feed& feed = feeds_.at(feed_name);
  const api::KindDesc& to = *flights_.at(feed.flight).request.kind;
  Conversions known = std::exchange(flights_.at(feed.flight).outside.mut().conversions, Conversions());
  for (; !feed.waiting.empty(); feed.waiting.pop_front()) {
    auto& [watch, event] = feed.waiting.front();
    if (event.object) {
      api::Object converted = known.find(event.object, to);
      if (!converted) break;
      event.object = std::move(converted);
    }
    hand_over(watch, std::move(event));
  }
  if (feed.waiting.empty()) {
    flights_.take(feed.flight);
    feeds_.erase(feed_name);
    return;
  }
  Conversions& wanted = flights_.at(feed.flight).outside.mut().conversions;
  for (const auto& [watch, event] : feed.waiting)
    if (event.object) wanted.find(event.object, to);
  ask_conversion(feed.flight, Then::kFeed);
}

// As upstream's watch of the store does when it cannot decode. Source: Kubernetes v1.32
// apiserver/pkg/storage/etcd3/watcher.go (sendError).
void Server::end_feed(const Str& feed_name, const Status& why) {
  const Feed feed = std::move(feeds_.at(feed_name));
  feeds_.erase(feed_name);
  flights_.take(feed.flight);
  std::set<uint64_t> told;
  for (const auto& [id, event] : feed.waiting) {
    const auto watch = watches_.find(id);
    if (watch == watches_.end() || !told.insert(id).second) continue;
    caches_[storage_kind(*watch->second.kind).id].remove_watch(id);
    WatchEvent failed;
    failed.type = WatchEventType::kError;
    failed.error = internal_error(str_cat("Internal error occurred: ", why.message()));
    hand_over(id, std::move(failed));
  }
}

int64_t Server::told(WatchId watch) const {
  int64_t revision = revision_;
  for (const auto& [name, feed] : feeds_)
    for (const auto& [id, event] : feed.waiting)
      if (id == watch.value) revision = std::min(revision, std::max<int64_t>(event.revision - 1, 0));
  return revision;
}

}  // namespace orrery::server
