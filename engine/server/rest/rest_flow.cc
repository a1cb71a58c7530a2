// How many requests are served at once, in which order, and for how long.
#include "engine/api/names.h"
#include "engine/api/scalars.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

constexpr int kServedAtOnce = 64;  // of those who have waited, in one turn

// They take as long as their client likes. Source: Kubernetes v1.32 kube-apiserver,
// BasicLongRunningRequestCheck. Watches are counted until they have begun.
bool is_long_running(const RequestInfo& info) {
  if (!info.is_resource) return false;
  const std::string_view sub = info.subresource;
  return info.verb == "proxy" || sub == "attach" || sub == "exec" || sub == "proxy" ||
         sub == "log" || sub == "portforward";
}

bool is_mutating(std::string_view verb) {
  return verb != "get" && verb != "list" && verb != "watch" && verb != "head";
}

}  // namespace

void Rest::add_own_headers(const Exchange& exchange, HttpHeaders& headers) const {
  headers.emplace_back("audit-id", exchange.audit_id.str());
  if (!exchange.seat.schema) return;
  headers.emplace_back("x-kubernetes-pf-flowschema-uid", exchange.seat.schema_uid.str());
  headers.emplace_back("x-kubernetes-pf-prioritylevel-uid", exchange.seat.level_uid.str());
}

// A list costs as much as what it looks at. Source: Kubernetes v1.32
// apiserver/pkg/util/flowcontrol/request (objectsPerSeat, maximumListSeatsLimit).
int Rest::seats_of(const Exchange& exchange) const {
  constexpr size_t kObjectsPerSeat = 100, kSeatsMax = 10;
  const RequestInfo& info = exchange.info;
  if (!info.is_resource || info.verb != "list") return 1;
  const api::KindDesc* kind = server_->find_resource(info.group, info.version, info.resource);
  if (!kind) return 1;
  const size_t objects = server_->cache(storage_kind(*kind)).size();
  return static_cast<int>(
      std::clamp<size_t>((objects + kObjectsPerSeat - 1) / kObjectsPerSeat, 1, kSeatsMax));
}

bool Rest::find_seat(uint64_t id, Exchange& exchange, HttpRequest& http, Time now) {
  if (is_long_running(exchange.info)) return true;
  if (!options_.priority_and_fairness) return find_place(id, exchange);
  switch (flow_.arrive(id, exchange.info, *exchange.user, seats_of(exchange), now, exchange.seat)) {
    case FlowControl::Verdict::kRun:
      return true;
    case FlowControl::Verdict::kRefused:
      refuse_busy(id);
      return false;
    case FlowControl::Verdict::kWait:
      break;
  }
  exchange.waiting = std::make_unique<HttpRequest>(std::move(http));
  if (!patience_timer_)
    patience_timer_ =
        timers_->arm(lane_, *flow_.patience_ends(), {EventKind::kTimer, kPatienceTimer, 0, 0});
  return false;
}

// Without priority and fairness reads and writes are counted, but not those of system:masters.
// Source: Kubernetes v1.32 apiserver/pkg/server/filters/maxinflight.go.
bool Rest::find_place(uint64_t id, Exchange& exchange) {
  const bool writes = is_mutating(exchange.info.verb);
  const int limit =
      writes ? options_.max_mutating_requests_inflight : options_.max_requests_inflight;
  int& count = writes ? writes_inflight_ : reads_inflight_;
  const auto& groups = exchange.user->groups;
  const bool privileged = std::find(groups.begin(), groups.end(), "system:masters") != groups.end();
  if (limit > 0 && count >= limit && !privileged) {
    refuse_busy(id);
    return false;
  }
  exchange.inflight = &++count;
  return true;
}

void Rest::refuse_busy(uint64_t id) {
  Exchange& exchange = exchanges_.at(id);
  exchange.retry_after_seconds = exchange.seat.schema ? retry_after_.refused(exchange.seat.level_uid, timers_->now()) : 1;
  respond(id, 429, "text/plain; charset=utf-8", "Too many requests, please try again later.\n");
}

void Rest::free_seat(Exchange& exchange, Time now) {
  if (exchange.inflight) --*std::exchange(exchange.inflight, nullptr);
  flow_.leave(exchange.seat, now);
  if (!flow_.anyone_waits() || serve_waiting_posted_) return;
  serve_waiting_posted_ = true;
  lanes_->post(lane_, {EventKind::kWork, 0, 0, 0});
}

void Rest::serve_waiting(Time now) {
  serve_waiting_posted_ = false;
  for (int i = 0; i < kServedAtOnce; ++i) {
    const auto id = flow_.next(now);
    if (!id) return;
    Exchange& exchange = exchanges_.at(*id);
    flow_.begin(exchange.seat, now);
    const auto http = std::move(exchange.waiting);
    serve(*id, exchange, *http, now);
  }
  if (!serve_waiting_posted_) lanes_->post(lane_, {EventKind::kWork, 0, 0, 0});
  serve_waiting_posted_ = true;
}

void Rest::refuse_impatient(Time now) {
  patience_timer_ = {};
  while (const auto id = flow_.out_of_patience(now)) refuse_busy(*id);
  if (const auto next = flow_.patience_ends())
    patience_timer_ = timers_->arm(lane_, *next, {EventKind::kTimer, kPatienceTimer, 0, 0});
}

// All requests have the same time, so they are due in the order in which they came; who asks for
// less gets a timer. Source: Kubernetes v1.32 apiserver/pkg/endpoints/filters/request_deadline.go.
bool Rest::limit_time(uint64_t id, Exchange& exchange, Time now) {
  if (is_long_running(exchange.info) || exchange.info.verb == "watch") return true;
  const Duration most = options_.request_timeout;
  const std::string& asked = exchange.query.get("timeout");
  if (!asked.empty()) {
    const auto limit = api::parse_go_duration(asked);
    if (!limit.is_ok()) {
      fail(id, bad_request(str_cat("invalid timeout specified in the request URL - time: invalid duration ", api::quoted(asked))));
      return false;
    }
    if (limit->ns > 0 && limit->ns < most.ns) {
      exchange.deadline = timers_->arm(lane_, now + Duration::nanos(limit->ns),
                                       {EventKind::kTimer, kTimeoutTimer, id, 0});
      return true;
    }
  }
  while (!due_.empty() && !exchanges_.contains(due_.front().second)) due_.pop_front();
  due_.emplace_back(now + most, id);
  if (!timeout_timer_)
    timeout_timer_ =
        timers_->arm(lane_, due_.front().first, {EventKind::kTimer, kTimeoutTimer, 0, 0});
  return true;
}

void Rest::end_overdue(uint64_t id, Time now) {
  const auto end = [this](uint64_t exchange) {
    if (exchanges_.contains(exchange))
      fail(exchange, Status(Code::kTimeout,
                            "Timeout: request did not complete within requested timeout - context "
                            "deadline exceeded"));
  };
  if (id) return end(id);
  timeout_timer_ = {};
  while (!due_.empty() &&
         (due_.front().first <= now || !exchanges_.contains(due_.front().second))) {
    const uint64_t overdue = due_.front().second;
    due_.pop_front();
    end(overdue);
  }
  if (!due_.empty())
    timeout_timer_ =
        timers_->arm(lane_, due_.front().first, {EventKind::kTimer, kTimeoutTimer, 0, 0});
}

}  // namespace orrery::server
