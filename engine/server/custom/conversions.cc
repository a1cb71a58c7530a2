// Requests that wait for a webhook which converts custom resources.
#include "engine/server/server.h"

namespace orrery::server {

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

}  // namespace orrery::server
