#include "engine/sched/scheduler.h"

#include "engine/api/pod_resources.h"
#include "engine/runtime/api_requests.h"

namespace orrery::sched {
namespace {

// Op of requests whose answer does not matter.
constexpr uint64_t kIgnored = 0;

const Str kSchedulerUser = Str::literal("system:kube-scheduler");

}  // namespace

Result<std::unique_ptr<Scheduler>> Scheduler::make(const Env& env, Options options) {
  std::unique_ptr<Scheduler> scheduler(new Scheduler(env));
  scheduler->state_ = std::make_unique<ClusterState>();
  for (const Profile& profile : options.config.profiles) {
    ORRERY_ASSIGN(Framework framework, Framework::make(profile, *scheduler->state_));
    framework.set_tie_break(options.tie_break);
    scheduler->frameworks_.push_back(std::move(framework));
  }
  scheduler->queue_ = SchedulingQueue(Duration::seconds(options.config.pod_initial_backoff_seconds),
                                      Duration::seconds(options.config.pod_max_backoff_seconds));
  scheduler->tie_rng_ = env.rng.stream("sched/tie");
  scheduler->recorder_ = EventRecorder("default-scheduler", options.events);
  scheduler->options_ = std::move(options);
  scheduler->lane_ = env.lanes->open("scheduler", scheduler.get());
  env.lanes->post(scheduler->lane_, {EventKind::kStart, 0, 0, 0});
  return scheduler;
}

Scheduler::Scheduler(const Scheduler& o)
    : lanes_(o.lanes_), timers_(o.timers_), api_(o.api_), options_(o.options_), lane_(o.lane_), start_(o.start_),
      nodes_watch_(o.nodes_watch_), pods_watch_(o.pods_watch_), nodes_synced_(o.nodes_synced_), pods_synced_(o.pods_synced_),
      state_(std::make_unique<ClusterState>(*o.state_)), frameworks_(o.frameworks_), queue_(o.queue_), tie_rng_(o.tie_rng_),
      recorder_(o.recorder_), bindings_(o.bindings_), work_posted_(o.work_posted_), flush_timer_(o.flush_timer_),
      flush_at_(o.flush_at_), counters_(o.counters_) {}

std::unique_ptr<Component> Scheduler::clone(const Env& env) const {
  std::unique_ptr<Scheduler> copy(new Scheduler(*this));
  copy->lanes_ = env.lanes;
  copy->timers_ = env.timers;
  copy->api_ = env.api;
  return copy;
}

void Scheduler::handle(const Ctx& ctx, const Event& event) {
  switch (event.kind) {
    case EventKind::kStart:
      start_ = ctx.now;
      nodes_watch_ = api_->watch(lane_, {&kind_of<corev1::Node>(), "", "", ""});
      pods_watch_ = api_->watch(lane_, {&kind_of<corev1::Pod>(), "", "", ""});
      return;
    case EventKind::kWatch: return on_watch(WatchId{event.a}, ctx.now);
    case EventKind::kDone: return on_done(event.a, api_->take(event.b), ctx.now);
    case EventKind::kTimer:
      flush_timer_ = TimerId();
      flush_at_ = Time::max();
      queue_.flush(ctx.now);
      return wake(ctx.now);
    case EventKind::kWork:
      work_posted_ = false;
      schedule_one(ctx.now);
      return wake(ctx.now);
    default: return;
  }
}

void Scheduler::on_watch(WatchId watch, Time now) {
  api_->drain(watch, arrived_);
  for (const WatchEvent& event : arrived_) {
    if (event.type == WatchEventType::kSynced) {
      (watch == nodes_watch_ ? nodes_synced_ : pods_synced_) = true;
    } else if (event.type == WatchEventType::kError) {
      CHECK(false) << "scheduler's watch ended: " << event.error.message();
    } else if (watch == nodes_watch_) {
      on_node(event, now);
    } else {
      on_pod(event, now);
    }
  }
  forget(arrived_);
  wake(now);
}

void Scheduler::on_node(const WatchEvent& event, Time now) {
  const auto& node = event.object.get<corev1::Node>();
  const uint32_t slot = state_->find(node.metadata->name);
  if (event.type == WatchEventType::kDeleted) return state_->remove_node(node.metadata->name);
  api::Object before;
  if (slot != UINT32_MAX) {
    const corev1::Node& old = state_->node(slot).object;
    // Heartbeats change nothing that scheduling looks at.
    const bool same = old.spec.same(node.spec) && old.metadata->labels == node.metadata->labels &&
                      old.status->allocatable == node.status->allocatable && old.status->images.same(node.status->images);
    if (same) return;
    before = api::Object::of(old);
  }
  state_->set_node(node);
  moved(before ? ClusterEvent::kNodeUpdate : ClusterEvent::kNodeAdd, before, event.object, now);
}

void Scheduler::on_pod(const WatchEvent& event, Time now) {
  const auto& pod = event.object.get<corev1::Pod>();
  const Str key = api::object_key(*pod.metadata);
  const bool gone = event.type == WatchEventType::kDeleted || api::is_terminal(pod);
  if (gone) {
    queue_.remove(key);
    if (state_->remove_pod(key)) moved(ClusterEvent::kPodDelete, event.object, {}, now);
    return;
  }
  if (pod.spec->node_name.empty()) return on_pending_pod(event.object, now);
  queue_.remove(key);
  const bool known = state_->node_of(key) != nullptr;
  state_->set_pod(event.object);
  if (!known) moved(ClusterEvent::kPodAdd, {}, event.object, now);
}

void Scheduler::on_pending_pod(const api::Object& object, Time now) {
  const auto& pod = object.get<corev1::Pod>();
  const Str key = api::object_key(*pod.metadata);
  // Its binding is under way: this is news of before.
  if (state_->node_of(key) != nullptr) return;
  Framework* framework = framework_of(pod.spec->scheduler_name);
  if (!framework || pod.metadata->deletion_timestamp) return queue_.remove(key);
  const PodInfo info = framework->pod_info(object, *state_);
  const bool gated = !framework->pre_enqueue(pod).ok();
  if (!queue_.contains(key)) {
    queue_.add(info, gated, now);
    return;
  }
  queue_.update(info, gated, false, now);
}

Framework* Scheduler::framework_of(const Str& scheduler_name) {
  for (Framework& framework : frameworks_)
    if (scheduler_name.view() == framework.profile().scheduler_name) return &framework;
  return nullptr;
}

void Scheduler::moved(ClusterEvent event, const api::Object& before, const api::Object& after, Time now) {
  queue_.move(now, [&](const QueuedPod& queued) {
    const corev1::Pod& pod = queued.info.pod();
    const Framework* framework = framework_of(pod.spec->scheduler_name);
    return framework && framework->may_help(queued.rejected_by, pod, event, before, after);
  });
}

void Scheduler::wake(Time now) {
  if (queue_.active() > 0 && nodes_synced_ && pods_synced_ && !work_posted_) {
    work_posted_ = true;
    lanes_->post(lane_, {EventKind::kWork, 0, 0, 0});
  }
  const Time due = queue_.next_flush(start_);
  if (due >= flush_at_) return;
  if (flush_timer_) timers_->cancel(flush_timer_);
  flush_at_ = due < now ? now : due;
  flush_timer_ = timers_->arm(lane_, flush_at_, {EventKind::kTimer, 0, 0, 0});
}

void Scheduler::schedule_one(Time now) {
  QueuedPod pod;
  if (!queue_.pop(now, &pod)) return;
  Framework* framework = framework_of(pod.info.pod().spec->scheduler_name);
  CHECK(framework != nullptr);
  ++counters_.attempts;
  if (options_.cost_per_cycle.ns > 0) lanes_->charge(lane_, options_.cost_per_cycle);
  const Decision decision = framework->schedule(pod.info, *state_, tie_rng_);
  if (decision.scheduled) {
    bind(std::move(pod), decision, now);
  } else {
    report_failure(std::move(pod), decision, now);
  }
}

// The pod counts as placed from now on; the API is told.
void Scheduler::bind(QueuedPod pod, const Decision& decision, Time now) {
  const Str& node = state_->node(decision.placement.slot).name;
  api::Object assumed = pod.info.object;
  auto& placed = assumed.mut<corev1::Pod>();
  placed.spec.mut().node_name = node;
  corev1::Binding binding;
  binding.target.kind = "Node";
  binding.target.name = node;
  auto& meta = binding.metadata.mut();
  meta.namespace_ = placed.metadata->namespace_;
  meta.name = placed.metadata->name;
  meta.uid = placed.metadata->uid;
  for (const auto& [key, value] : decision.placement.annotations) {
    placed.metadata.mut().annotations.set(key, value);
    meta.annotations.set(key, value);
  }
  state_->set_pod(assumed, pod.info.cls);
  ApiRequest request;
  request.verb = ApiVerb::kCreate;
  request.kind = &kind_of<corev1::Pod>();
  request.subresource = "binding";
  request.ns = meta.namespace_;
  request.name = meta.name;
  request.object = api::Object::of(std::move(binding));
  request.user = kSchedulerUser;
  const Str key = api::object_key(assumed.meta());
  api_->call({lane_, bindings_.put({std::move(pod), key, now})}, std::move(request));
}

void Scheduler::on_done(uint64_t op, ApiResponse response, Time now) {
  if (op == kIgnored) return;
  Binding binding = bindings_.take(op);
  if (response.status.is_ok()) {
    ++counters_.scheduled;
    counters_.queue_waits.push_back(binding.attempted - binding.pod.added);
    const Str* node = state_->node_of(binding.key);
    const std::string message = str_cat("Successfully assigned ", binding.key, " to ", node ? node->view() : "");
    if (auto event = recorder_.record(now, {binding.pod.info.object, "Normal", "Scheduled", Str(message)}))
      api_->call({lane_, kIgnored}, std::move(*event));
    return;
  }
  state_->remove_pod(binding.key);
  moved(ClusterEvent::kPodDelete, binding.pod.info.object, {}, now);
  if (response.status.code() == Code::kNotFound) return wake(now);
  queue_.add_unschedulable(std::move(binding.pod), now);
  wake(now);
}

void Scheduler::report_failure(QueuedPod pod, const Decision& decision, Time now) {
  ++counters_.unschedulable;
  pod.rejected_by = decision.rejected_by;
  set_condition(pod, "Unschedulable", decision.message, now);
  constexpr size_t kNoteMax = 1024;
  std::string note = decision.message;
  if (note.size() > kNoteMax) note = note.substr(0, kNoteMax - 4) + " ...";
  if (auto event = recorder_.record(now, {pod.info.object, "Warning", "FailedScheduling", Str(note)}))
    api_->call({lane_, kIgnored}, std::move(*event));
  queue_.add_unschedulable(std::move(pod), now);
}

void Scheduler::set_condition(const QueuedPod& pod, std::string_view reason, const std::string& message, Time now) {
  api::Object changed = pod.info.object;
  corev1::PodCondition condition;
  condition.type = "PodScheduled";
  condition.status = "False";
  condition.reason = Str(reason);
  condition.message = Str(message);
  condition.last_transition_time = api::Timestamp::whole_seconds(now);
  if (!api::set_condition(changed.mut<corev1::Pod>().status.mut(), std::move(condition))) return;
  ApiRequest request = update_request(std::move(changed), "status");
  request.user = kSchedulerUser;
  api_->call({lane_, kIgnored}, std::move(request));
}

}  // namespace orrery::sched
