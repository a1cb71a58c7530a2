#include "engine/runtime/controller.h"

#include <algorithm>
#include <functional>

#include "engine/base/check.h"

namespace orrery {
namespace {

constexpr uint32_t kQueueTimer = 0;
constexpr uint32_t kClientTimer = 1;
// Ticket of a request whose answer nobody waits for; others are worker << 32 | index.
constexpr uint64_t kNobody = UINT64_MAX;
// More events than these are dropped. Source: Kubernetes v1.32 apimachinery, watch.Broadcaster of
// client-go's EventBroadcaster.
constexpr size_t kEventsMax = 1000;

TokenBucket client_bucket(const ControllerOptions& options) {
  if (options.client_qps <= 0) return TokenBucket();
  return TokenBucket(duration_from_seconds(1.0 / options.client_qps),
                     std::max(1, options.client_burst));
}

}  // namespace

Controller::Controller(const Env& env, std::string_view name, const ControllerOptions& options,
                       std::string_view event_source)
    : env_(env),
      lane_(env.lanes->open(name, this)),
      user_(str_cat("system:serviceaccount:kube-system:", name)),
      lazy_watches_(options.lazy_watches),
      queue_(kQueueTimer, options.retries),
      workers_(static_cast<size_t>(options.workers)),
      recorder_(event_source.empty() ? name : event_source, options.events),
      client_(client_bucket(options)) {
  CHECK(options.workers > 0) << options.workers;
  for (size_t i = workers_.size(); i > 0; --i)
    free_workers_.push_back(static_cast<uint32_t>(i - 1));
}

void Controller::rebind(const Env& env) {
  env_ = env;
  observer_ = nullptr;
}

size_t Controller::add_informer(WatchSpec spec, std::vector<Informer::IndexFn> indexes) {
  informers_.emplace_back(std::move(spec), std::move(indexes));
  return informers_.size() - 1;
}

size_t Controller::add_lazy_informer(WatchSpec spec, std::vector<Informer::IndexFn> indexes) {
  const size_t number = add_informer(std::move(spec), std::move(indexes));
  if (lazy_watches_) lazy_.push_back(static_cast<uint32_t>(number));
  return number;
}

void Controller::need(size_t number) {
  if (std::erase(lazy_, number) > 0) informers_[number].start(*env_.api, lane_);
}

bool Controller::all_synced() const {
  for (size_t i = 0; i < informers_.size(); ++i)
    if (!informers_[i].synced() && std::find(lazy_.begin(), lazy_.end(), i) == lazy_.end())
      return false;
  return true;
}

void Controller::handle(const Ctx& ctx, const Event& event) {
  switch (event.kind) {
    case EventKind::kStart:
      start_informers();
      on_start(ctx);
      break;
    case EventKind::kTimer:
      on_timer(ctx, event);
      break;
    case EventKind::kDone:
      on_done(ctx, event);
      break;
    case EventKind::kWatch:
      on_watch(ctx, WatchId{event.a});
      break;
    case EventKind::kWork:
      on_work(ctx);
      break;
    case EventKind::kUser:
      on_event(ctx, event);
      break;
  }
  schedule_work();
}

void Controller::start_informers() {
  for (size_t i = 0; i < informers_.size(); ++i)
    if (std::find(lazy_.begin(), lazy_.end(), i) == lazy_.end())
      informers_[i].start(*env_.api, lane_);
}

void Controller::on_watch(const Ctx& ctx, WatchId watch) {
  for (size_t i = 0; i < informers_.size(); ++i) {
    if (!informers_[i].owns(watch)) continue;
    changes_.clear();
    informers_[i].on_watch(*env_.api, lane_, changes_);
    for (const Change& change : changes_) on_change(ctx, i, change);
    changes_.clear();
    return;
  }
  on_own_watch(ctx, watch);
}

void Controller::on_timer(const Ctx& ctx, const Event& event) {
  if (event.arg == kQueueTimer) {
    queue_.on_timer(event);
  } else if (event.arg == kClientTimer) {
    Held held = held_.take(event.a);
    env_.api->call(held.ticket, std::move(held.request));
    if (held.is_event) {
      event_waits_ = false;
      send_events();
    }
  } else {
    on_event(ctx, event);
  }
}

void Controller::on_done(const Ctx& ctx, const Event& event) {
  ApiResponse response = env_.api->take(event.b);
  if (event.a == kNobody) return;
  const size_t worker = event.a >> 32;
  const auto index = static_cast<uint32_t>(event.a);
  const auto next = workers_[worker].log.answer(index, std::move(response));
  if (next == WriteLog::Next::kRunAgain) run(ctx, worker);
  if (next == WriteLog::Next::kDone) finish(ctx, worker, Status());
}

// One sync an event, so that what is posted meanwhile (more changes of the same objects) collapses.
void Controller::on_work(const Ctx& ctx) {
  work_posted_ = false;
  if (queue_.empty() || free_workers_.empty() || !all_synced()) return;
  begin(ctx, queue_.get(), true);
}

void Controller::schedule_work() {
  if (work_posted_ || queue_.empty() || free_workers_.empty() || !all_synced()) return;
  work_posted_ = true;
  env_.lanes->post(lane_, {EventKind::kWork, 0, 0, 0});
}

void Controller::sync_now(const Ctx& ctx, const Str& key) {
  CHECK(!free_workers_.empty()) << "no free worker";
  begin(ctx, key, false);
}

void Controller::begin(const Ctx& ctx, const Str& key, bool from_queue) {
  const uint32_t worker = free_workers_.back();
  free_workers_.pop_back();
  workers_[worker].key = key;
  workers_[worker].from_queue = from_queue;
  gather_into(worker, ctx, key);
  run(ctx, worker);
}

void Controller::run(const Ctx& ctx, size_t worker) {
  WriteLog& log = workers_[worker].log;
  log.rewind();
  const Status status = run_sync(worker, log);
  flush_effects(ctx, worker);
  if (!log.pending()) return finish(ctx, worker, status);
  const auto outgoing = log.outgoing();
  for (size_t i = 0; i < outgoing.size(); ++i)
    send({lane_, uint64_t{worker} << 32 | i}, std::move(outgoing[i]));
  log.sent();
}

void Controller::flush_effects(const Ctx& ctx, size_t worker) {
  WriteLog& log = workers_[worker].log;
  for (const SyncEvent& event : log.take_events()) report(ctx.now, event);
  for (const Duration delay : log.take_requeues()) {
    if (observer_) observer_->on_requeue(workers_[worker].key, delay);
    enqueue_after(workers_[worker].key, delay);
  }
}

void Controller::finish(const Ctx& ctx, size_t worker, const Status& status) {
  const Str key = std::move(workers_[worker].key);
  workers_[worker].log.reset();
  drop_inputs(worker);
  const auto number = static_cast<uint32_t>(worker);
  free_workers_.insert(
      std::upper_bound(free_workers_.begin(), free_workers_.end(), number, std::greater<>()),
      number);
  ++syncs_finished_;
  on_finished(ctx, key, status);
  if (workers_[worker].from_queue) queue_.done(key);
  if (observer_) observer_->on_finished(key, status);
}

void Controller::on_finished(const Ctx&, const Str& key, const Status& status) {
  if (status) {
    queue_.forget(key);
  } else {
    enqueue_rate_limited(key);
  }
}

void Controller::enqueue(const Str& key) {
  queue_.add(key);
  schedule_work();
}

void Controller::enqueue_after(const Str& key, Duration delay) {
  queue_.add_after(*env_.timers, lane_, key, delay);
}

void Controller::enqueue_rate_limited(const Str& key) {
  queue_.add_rate_limited(*env_.timers, lane_, key);
}

void Controller::send_and_forget(ApiRequest request) { send({lane_, kNobody}, std::move(request)); }

void Controller::report(Time now, const SyncEvent& event) {
  if (observer_) observer_->on_event(event);
  auto request = recorder_.record(now, event);
  if (!request || events_.size() >= kEventsMax) return;
  events_.push_back(std::move(*request));
  send_events();
}

void Controller::send_events() {
  while (!event_waits_ && !events_.empty()) {
    ApiRequest request = std::move(events_.front());
    events_.pop_front();
    event_waits_ = !send({lane_, kNobody}, std::move(request), true);
  }
}

bool Controller::send(Ticket ticket, ApiRequest request, bool is_event) {
  if (request.user.empty()) request.user = user_;
  const Duration wait = client_.reserve(env_.timers->now());
  if (wait <= Duration{}) {
    env_.api->call(ticket, std::move(request));
    return true;
  }
  const uint64_t handle = held_.put({ticket, std::move(request), is_event});
  env_.timers->arm(lane_, env_.timers->now() + wait, {EventKind::kTimer, kClientTimer, handle, 0});
  return false;
}

}  // namespace orrery
