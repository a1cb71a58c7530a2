#include "engine/kubelet/kubelet.h"

#include "engine/api/pod_resources.h"
#include "engine/runtime/api_requests.h"

namespace orrery::kubelet {

Kubelet::Kubelet(const Env& env, ContainerRuntime* runtime, const KubeletOptions& options)
    : lanes_(env.lanes), timers_(env.timers), api_(env.api), runtime_(runtime), node_(options.node), host_ip_(options.host_ip),
      lane_(env.lanes->open("kubelet", this)), heartbeat_(options.node, options.heartbeat) {
  const Event start{EventKind::kStart, 0, 0, 0};
  if (options.begins > timers_->now()) {
    timers_->arm(lane_, options.begins, start);
  } else {
    env.lanes->post(lane_, start);
  }
}

std::unique_ptr<Kubelet> Kubelet::fork(const Env& env, ContainerRuntime* runtime) const {
  auto copy = std::make_unique<Kubelet>(*this);
  copy->lanes_ = env.lanes;
  copy->timers_ = env.timers;
  copy->api_ = env.api;
  copy->runtime_ = runtime;
  return copy;
}

std::unique_ptr<Component> Kubelet::clone(const Env& env) const { return fork(env, runtime_); }

void Kubelet::handle(const Ctx& ctx, const Event& event) {
  switch (event.kind) {
    case EventKind::kStart: return on_start(ctx.now);
    case EventKind::kWatch:
      // A cut-off kubelet sees what it has missed when it is back.
      if (connected_) on_watch(ctx.now);
      return;
    case EventKind::kDone: return on_done(event.a, event.b, ctx.now);
    case EventKind::kTimer: return on_timer(event, ctx.now);
    case EventKind::kUser: return on_user(event, ctx.now);
    default: return;
  }
}

void Kubelet::on_start(Time now) {
  runtime_->subscribe(node_, lane_);
  watch_ = api_->watch(lane_, {&kind_of<corev1::Pod>(), "", "", Str(str_cat("spec.nodeName=", node_))});
  heartbeat_.start(*api_, now);
  arm_renewal(now);
}

void Kubelet::on_timer(const Event& event, Time now) {
  if (event.a == pack(Op::kRenewal, 0, 0)) {
    if (!connected_) return;
    renewal_timer_ = {};
    heartbeat_.renew(*api_, now);
    arm_renewal(now);
    return;
  }
  if (Worker* worker = find(static_cast<uint32_t>(event.a)); worker && worker->stage == Stage::kSync)
    begin_container(*worker, static_cast<uint32_t>(event.a >> 32) & 0xffffff, now);
}

void Kubelet::on_user(const Event& event, Time now) {
  if (event.a == kContainerExited) return on_exit(runtime_->take_exit(event.b), now);
  if (event.a == kContainerReady) return on_ready(runtime_->take_ready(event.b), now);
  set_connected(event.a == kConnectionBack, now);
}

void Kubelet::arm_renewal(Time now) {
  const Time next = heartbeat_.next_renewal(now);
  if (next < Time::max()) renewal_timer_ = timers_->arm(lane_, next, {EventKind::kTimer, 0, pack(Op::kRenewal, 0, 0), 0});
}

void Kubelet::set_connected(bool connected, Time now) {
  if (connected == connected_) return;
  connected_ = connected;
  if (!connected) {
    if (renewal_timer_) timers_->cancel(renewal_timer_);
    return heartbeat_.stop(*api_, now);
  }
  heartbeat_.resume(*api_, {lane_, pack(Op::kNodeRead, 0, 0)}, now);
  arm_renewal(now);
  on_watch(now);
  for (auto& [id, worker] : workers_) write_status(worker, now);
}

void Kubelet::on_node_answer(Op op, const ApiResponse& response, Time now) {
  if (!connected_) return;
  if (op == Op::kNodeRead && response.status)
    return heartbeat_.post_conditions(*api_, {lane_, pack(Op::kNodePosted, 0, 0)}, response.object, now);
  // Somebody else has written the node meanwhile.
  if (response.status.code() == Code::kConflict)
    api_->call({lane_, pack(Op::kNodeRead, 0, 0)}, get_request(kind_of<corev1::Node>(), {}, node_));
}

Kubelet::Worker* Kubelet::find(uint32_t id) {
  const auto it = workers_.find(id);
  return it == workers_.end() ? nullptr : &it->second;
}

void Kubelet::on_watch(Time now) {
  api_->drain(watch_, arrived_);
  for (const WatchEvent& event : arrived_) {
    if (event.type == WatchEventType::kDeleted) on_gone(event.object);
    else if (event.type == WatchEventType::kAdded || event.type == WatchEventType::kModified) on_pod(event.object, now);
  }
  forget(arrived_);
}

void Kubelet::on_pod(const api::Object& object, Time now) {
  const auto& pod = object.get<corev1::Pod>();
  const auto it = by_uid_.find(pod.metadata->uid);
  if (it != by_uid_.end()) {
    Worker& worker = workers_.at(it->second);
    worker.pod = object;
    if (pod.metadata->deletion_timestamp && worker.stage == Stage::kSync) terminate(worker, now);
    return;
  }
  if (api::is_terminal(pod)) return;
  const uint32_t id = next_id_++;
  by_uid_[pod.metadata->uid] = id;
  Worker& worker = workers_[id];
  worker.id = id;
  worker.pod = object;
  worker.state.started = now;
  worker.state.host_ip = host_ip_;
  for (const auto& c : pod.spec->init_containers) worker.state.init_containers.emplace_back().name = c.name;
  for (const auto& c : pod.spec->containers) worker.state.containers.emplace_back().name = c.name;
  if (!pod.spec->init_containers.empty())
    for (ContainerState& c : worker.state.containers) c.waiting_reason = "PodInitializing";
  if (pod.metadata->deletion_timestamp) return terminate(worker, now);
  sync(worker, now);
}

void Kubelet::on_gone(const api::Object& pod) {
  const auto it = by_uid_.find(pod.meta().uid);
  if (it == by_uid_.end()) return;
  runtime_->remove_pod_sandbox({}, node_, pod.meta().uid);
  workers_.erase(it->second);
  by_uid_.erase(it);
}

void Kubelet::on_done(uint64_t op, uint64_t handle, Time now) {
  const auto kind = static_cast<Op>(op >> 56);
  if (kind == Op::kNodeRead || kind == Op::kNodePosted) return on_node_answer(kind, api_->take(handle), now);
  if (kind == Op::kStatus || kind == Op::kDelete) {
    const ApiResponse response = api_->take(handle);
    Worker* worker = find(static_cast<uint32_t>(op));
    if (!worker || kind == Op::kDelete) return;
    worker->status_in_flight = false;
    if (response.status.is_ok()) worker->pod = response.object;
    const bool again = worker->status_stale || response.status.code() == Code::kConflict;
    if (again && response.status.code() != Code::kNotFound) write_status(*worker, now);
    if (worker->stage == Stage::kTerminated && !worker->status_in_flight) delete_pod(*worker);
    return;
  }
  on_runtime_answer(kind, op, runtime_->take(handle), now);
}

}  // namespace orrery::kubelet
