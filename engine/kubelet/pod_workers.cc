// The life of a pod on its node: sandbox, images, containers, restarts, its end, and what its status says.
#include <algorithm>
#include <utility>

#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/kubelet/kubelet.h"
#include "engine/runtime/api_requests.h"

namespace orrery::kubelet {
namespace {

const Str kCreating = Str::literal("ContainerCreating");

using Phase = ContainerState::Phase;

bool same_conditions(const List<corev1::PodCondition>& a, const List<corev1::PodCondition>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return api::semantic_equal(x, y); });
}

// A container that has not begun when its pod ends: how it would have ended is not known.
// Source: Kubernetes v1.32 pkg/kubelet/status/status_manager.go (TerminatePod).
void end_unstarted(ContainerState& c) {
  constexpr int32_t kUnknown = 137;
  c.phase = Phase::kTerminated;
  c.exit_code = kUnknown;
  c.exit_reason = "ContainerStatusUnknown";
}

// One that waits to be started again stays as it ended.
void end_as_before(ContainerState& c) {
  const Ref<EndedRun> last = std::exchange(c.last, {});
  c.phase = Phase::kTerminated;
  c.started_at = last->started_at;
  c.finished_at = last->finished_at;
  c.exit_code = last->exit_code;
  c.exit_reason = last->exit_reason;
  c.container_id = last->container_id;
}

bool is_sidecar(const corev1::Container& c) { return c.restart_policy && *c.restart_policy == "Always"; }

}  // namespace

uint32_t Kubelet::container_count(const Worker& worker) const {
  return static_cast<uint32_t>(worker.state.init_containers.size() + worker.state.containers.size());
}

ContainerState& Kubelet::container(Worker& worker, uint32_t index) {
  const size_t inits = worker.state.init_containers.size();
  return index < inits ? worker.state.init_containers[index] : worker.state.containers[index - inits];
}

Opt<uint32_t> Kubelet::find_running(Worker& worker, const Str& name) {
  for (uint32_t i = 0; i < container_count(worker); ++i) {
    const ContainerState& c = container(worker, i);
    if (c.name == name && c.phase == Phase::kRunning) return i;
  }
  return {};
}

const corev1::Container& Kubelet::container_spec(const Worker& worker, uint32_t index) const {
  const auto& spec = *worker.pod.get<corev1::Pod>().spec;
  const size_t inits = spec.init_containers.size();
  return index < inits ? spec.init_containers[index] : spec.containers[index - inits];
}

void Kubelet::sync(Worker& worker, Time now) {
  write_status(worker, now);
  worker.sandbox_asked = true;
  runtime_->run_pod_sandbox({lane_, pack(Op::kSandbox, worker.id, 0)}, node_, worker.pod);
}

// Init containers one after the other (sidecars need only to run), then all containers at once.
void Kubelet::start_next(Worker& worker, Time now) {
  if (worker.stage != Stage::kSync || !worker.state.sandbox_ready) return;
  const auto inits = static_cast<uint32_t>(worker.state.init_containers.size());
  for (uint32_t i = 0; i < inits; ++i) {
    const ContainerState& c = container(worker, i);
    const bool sidecar = is_sidecar(container_spec(worker, i));
    const bool passed = sidecar ? c.phase == Phase::kRunning : c.phase == Phase::kTerminated && c.exit_code == 0;
    if (passed) continue;
    if (c.phase == Phase::kWaiting && !c.last) begin_container(worker, i, now);
    return;
  }
  for (uint32_t i = inits; i < container_count(worker); ++i) {
    ContainerState& c = container(worker, i);
    if (c.phase == Phase::kWaiting && !c.last) begin_container(worker, i, now);
  }
}

void Kubelet::begin_container(Worker& worker, uint32_t index, Time) {
  ContainerState& c = container(worker, index);
  if (c.phase != Phase::kWaiting && c.phase != Phase::kTerminated) return;
  c.phase = Phase::kPulling;
  c.restart_count += c.restarting;
  c.restarting = false;
  if (c.waiting_reason != "CrashLoopBackOff" && c.waiting_reason != "ImagePullBackOff") c.waiting_reason = kCreating;
  runtime_->pull_image({lane_, pack(Op::kPull, worker.id, index)}, node_, container_spec(worker, index).image);
}

void Kubelet::on_runtime_answer(Op kind, uint64_t op, const RuntimeOutcome& outcome, Time now) {
  Worker* worker = find(static_cast<uint32_t>(op));
  const uint32_t index = static_cast<uint32_t>(op >> 32) & 0xffffff;
  if (!worker || worker->stage == Stage::kTerminated) return;
  if (kind == Op::kSandbox) {
    worker->state.sandbox_ready = outcome.status.is_ok();
    worker->state.pod_ip = outcome.pod_ip;
    if (worker->stage == Stage::kTerminating) return finish_if_stopped(*worker, now);
    return start_next(*worker, now);
  }
  if (kind == Op::kStop) return;
  ContainerState& c = container(*worker, index);
  if (worker->stage == Stage::kTerminating) {
    // It was asked to end before it had begun.
    if (kind == Op::kStart && outcome.status.is_ok())
      runtime_->stop_container({lane_, pack(Op::kStop, worker->id, index)}, {node_, worker->pod.meta().uid, c.name}, Duration{});
    return;
  }
  if (kind == Op::kPull && outcome.status.is_ok()) {
    c.phase = Phase::kStarting;
    runtime_->start_container({lane_, pack(Op::kStart, worker->id, index)}, node_, worker->pod, c.name, c.restart_count);
    return;
  }
  if (kind == Op::kPull || !outcome.status.is_ok()) {
    // A failed pull is tried again, backing off as a crash loop does.
    c.phase = Phase::kWaiting;
    c.waiting_reason = "ImagePullBackOff";
    c.waiting_message = Str(outcome.status.message());
    ++c.failed_pulls;
    timers_->arm(lane_, now + pull_delay(c.failed_pulls), {EventKind::kTimer, 0, pack(Op::kRestart, worker->id, index), 0});
    return write_status(*worker, now);
  }
  c.phase = Phase::kRunning;
  c.started_at = now;
  c.container_id = outcome.container_id;
  c.ready = !container_spec(*worker, index).readiness_probe;
  c.waiting_reason = Str();
  write_status(*worker, now);
  start_next(*worker, now);
}

void Kubelet::on_exit(const ContainerExit& exit, Time now) {
  const auto it = by_uid_.find(exit.ref.pod_uid);
  if (it == by_uid_.end()) return;
  Worker& worker = workers_.at(it->second);
  const Opt<uint32_t> index = find_running(worker, exit.ref.container);
  if (!index) return;
  ContainerState& c = container(worker, *index);
  c.phase = Phase::kTerminated;
  c.finished_at = now;
  c.exit_code = exit.exit_code;
  c.exit_reason = exit.reason;
  c.ready = false;
  container_ended(worker, *index, now);
}

void Kubelet::on_ready(const ContainerRef& ref, Time now) {
  const auto it = by_uid_.find(ref.pod_uid);
  if (it == by_uid_.end()) return;
  Worker& worker = workers_.at(it->second);
  const Opt<uint32_t> index = find_running(worker, ref.container);
  if (!index || worker.stage != Stage::kSync) return;
  container(worker, *index).ready = true;
  write_status(worker, now);
}

void Kubelet::container_ended(Worker& worker, uint32_t index, Time now) {
  if (worker.stage != Stage::kSync) return finish_if_stopped(worker, now);
  ContainerState& c = container(worker, index);
  const auto& spec = *worker.pod.get<corev1::Pod>().spec;
  const bool init = index < worker.state.init_containers.size();
  const bool sidecar = init && is_sidecar(container_spec(worker, index));
  std::string_view policy = sidecar ? std::string_view("Always") : spec.restart_policy.view();
  // An init container that has done its work is not run again.
  if (init && !sidecar && policy == "Always") policy = "OnFailure";
  if (should_restart(policy, c.exit_code)) {
    c.last = Ref<EndedRun>::make({c.started_at, c.finished_at, c.exit_code, c.exit_reason, c.container_id});
    c.restarting = true;
    const Duration delay = c.crash_loop.delay(now);
    c.crash_loop.restarted(now, now + delay);
    if (delay.ns > 0) {
      c.phase = Phase::kWaiting;
      c.waiting_reason = "CrashLoopBackOff";
      c.waiting_message = Str(str_cat("back-off ", api::format_go_duration({delay.ns}), " restarting failed container=", c.name));
      timers_->arm(lane_, now + delay, {EventKind::kTimer, 0, pack(Op::kRestart, worker.id, index), 0});
    } else {
      begin_container(worker, index, now);
    }
  }
  write_status(worker, now);
  if (init) start_next(worker, now);
}

void Kubelet::terminate(Worker& worker, Time now) {
  worker.stage = Stage::kTerminating;
  const auto& meta = worker.pod.meta();
  const Duration grace = Duration::seconds(meta.deletion_grace_period_seconds.value_or(30));
  for (uint32_t i = 0; i < container_count(worker); ++i) {
    ContainerState& c = container(worker, i);
    const ContainerRef ref{node_, meta.uid, c.name};
    if (c.phase == Phase::kRunning) {
      runtime_->stop_container({lane_, pack(Op::kStop, worker.id, i)}, ref, grace);
    } else if (c.phase == Phase::kPulling || c.phase == Phase::kStarting) {
      runtime_->stop_container({lane_, pack(Op::kStop, worker.id, i)}, ref, Duration{});
      end_unstarted(c);
    } else if (c.phase == Phase::kWaiting) {
      if (c.last) end_as_before(c);
      else end_unstarted(c);
    }
  }
  finish_if_stopped(worker, now);
}

// Nothing runs or is about to run any more: the last status, then the pod may go.
void Kubelet::finish_if_stopped(Worker& worker, Time now) {
  if (worker.stage != Stage::kTerminating) return;
  bool started = false;
  for (uint32_t i = 0; i < container_count(worker); ++i) {
    const Phase phase = container(worker, i).phase;
    if (phase == Phase::kRunning || phase == Phase::kPulling || phase == Phase::kStarting) return;
    started = started || phase == Phase::kTerminated;
  }
  worker.stage = Stage::kTerminated;
  worker.state.sandbox_ready = false;
  if (started) write_status(worker, now);
  if (!worker.status_in_flight) delete_pod(worker);
}

void Kubelet::write_status(Worker& worker, Time now) {
  if (!connected_) return;
  if (worker.status_in_flight) {
    worker.status_stale = true;
    return;
  }
  worker.status_stale = false;
  const auto& pod = worker.pod.get<corev1::Pod>();
  corev1::PodStatus status = make_pod_status(*pod.spec, worker.state, *pod.status, now);
  // A pod that was stopped does not run any more, whatever its restart policy.
  if (worker.stage == Stage::kTerminated && !worker.state.containers.empty()) {
    bool failed = false;
    for (const ContainerState& c : worker.state.containers) failed = failed || c.phase != Phase::kTerminated || c.exit_code != 0;
    status.phase = failed ? "Failed" : "Succeeded";
  }
  // Pods that started together have the same conditions, and share them.
  if (same_conditions(status.conditions, conditions_)) {
    status.conditions = conditions_;
  } else {
    conditions_ = status.conditions;
  }
  api::Object changed = worker.pod;
  changed.mut<corev1::Pod>().status = Ref<corev1::PodStatus>::make(std::move(status));
  worker.status_in_flight = true;
  api_->call({lane_, pack(Op::kStatus, worker.id, 0)}, update_request(std::move(changed), "status"));
}

void Kubelet::delete_pod(Worker& worker) {
  if (worker.deletion_asked || !worker.pod.meta().deletion_timestamp) return;
  worker.deletion_asked = true;
  ApiDeleteOptions options;
  options.grace_seconds = int64_t{0};
  options.uid = worker.pod.meta().uid;
  const auto& meta = worker.pod.meta();
  api_->call({lane_, pack(Op::kDelete, worker.id, 0)}, delete_request(kind_of<corev1::Pod>(), meta.namespace_, meta.name, options));
}

}  // namespace orrery::kubelet
