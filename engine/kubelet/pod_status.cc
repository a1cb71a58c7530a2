#include "engine/kubelet/pod_status.h"

#include <algorithm>

#include "engine/api/pod_resources.h"
#include "engine/runtime/backoff.h"

namespace orrery::kubelet {
namespace {

using Phase = ContainerState::Phase;

// Pods come by the ten thousand and share these.
const Str kPending = Str::literal("Pending"), kRunning = Str::literal("Running");
const Str kSucceeded = Str::literal("Succeeded"), kFailed = Str::literal("Failed");
const Str kTrue = Str::literal("True"), kFalse = Str::literal("False");
const Str kSandboxReady = Str::literal("PodReadyToStartContainers"), kInitialized = Str::literal("Initialized");
const Str kReady = Str::literal("Ready"), kContainersReady = Str::literal("ContainersReady");
const Str kCompleted = Str::literal("PodCompleted"), kPodFailed = Str::literal("PodFailed");
const Str kNotReady = Str::literal("ContainersNotReady"), kNotInitialized = Str::literal("ContainersNotInitialized");
const Str kCreating = Str::literal("ContainerCreating");

bool init_done(const ContainerState& c) { return c.phase == Phase::kTerminated && c.exit_code == 0; }

bool is_sidecar(const corev1::Container& c) { return c.restart_policy && *c.restart_policy == "Always"; }

bool initialized(const corev1::PodSpec& spec, const PodRuntimeState& state) {
  for (size_t i = 0; i < state.init_containers.size(); ++i) {
    const ContainerState& c = state.init_containers[i];
    const bool done = is_sidecar(spec.init_containers[i]) ? c.phase == Phase::kRunning || c.last : init_done(c);
    if (!done) return false;
  }
  return true;
}

corev1::ContainerStateTerminated terminated(const EndedRun& run) {
  corev1::ContainerStateTerminated t;
  t.exit_code = run.exit_code;
  t.reason = run.exit_reason;
  t.started_at = api::Timestamp::whole_seconds(run.started_at);
  t.finished_at = api::Timestamp::whole_seconds(run.finished_at);
  t.container_id = run.container_id;
  return t;
}

corev1::ContainerStatus container_status(const corev1::Container& spec, const ContainerState& c) {
  corev1::ContainerStatus out;
  out.name = spec.name;
  out.image = spec.image;
  out.restart_count = c.restart_count;
  out.ready = c.ready && c.phase == Phase::kRunning;
  out.container_id = c.container_id;
  out.started = c.phase == Phase::kRunning;
  if (c.phase == Phase::kRunning) {
    out.state.running.mut().started_at = api::Timestamp::whole_seconds(c.started_at);
  } else if (c.phase == Phase::kTerminated) {
    out.state.terminated = Ref<corev1::ContainerStateTerminated>::make(
        terminated({c.started_at, c.finished_at, c.exit_code, c.exit_reason, c.container_id}));
  } else {
    auto& waiting = out.state.waiting.mut();
    waiting.reason = c.waiting_reason.empty() ? kCreating : c.waiting_reason;
    waiting.message = c.waiting_message;
  }
  if (c.last) out.last_state.terminated = Ref<corev1::ContainerStateTerminated>::make(terminated(*c.last));
  return out;
}

void condition(corev1::PodStatus& status, const Str& type, bool value, const Str& reason, const Str& message, Time now) {
  corev1::PodCondition c;
  c.type = type;
  c.status = value ? kTrue : kFalse;
  c.reason = reason;
  c.message = message;
  c.last_transition_time = api::Timestamp::whole_seconds(now);
  api::set_condition(status, std::move(c));
}

std::string unready_names(const corev1::PodSpec& spec, const PodRuntimeState& state) {
  std::string names;
  for (size_t i = 0; i < state.containers.size(); ++i)
    if (!(state.containers[i].ready && state.containers[i].phase == Phase::kRunning)) names += (names.empty() ? "" : " ") + spec.containers[i].name.str();
  return names;
}

}  // namespace

Str pod_phase(const corev1::PodSpec& spec, const PodRuntimeState& state) {
  for (size_t i = 0; i < state.init_containers.size(); ++i) {
    const ContainerState& c = state.init_containers[i];
    if (is_sidecar(spec.init_containers[i])) continue;
    if (c.phase == Phase::kTerminated && c.exit_code != 0) return spec.restart_policy == "Never" ? kFailed : kPending;
    if (!init_done(c)) return kPending;
  }
  size_t waiting = 0, running = 0, stopped = 0, succeeded = 0;
  for (const ContainerState& c : state.containers) {
    if (c.phase == Phase::kRunning) ++running;
    else if (c.phase == Phase::kTerminated) { ++stopped; succeeded += c.exit_code == 0; }
    else if (c.last) { ++stopped; }
    else ++waiting;
  }
  if (waiting > 0) return kPending;
  if (running > 0 || spec.restart_policy == "Always") return kRunning;
  if (stopped == succeeded) return kSucceeded;
  if (spec.restart_policy == "Never") return kFailed;
  return kRunning;
}

corev1::PodStatus make_pod_status(const corev1::PodSpec& spec, const PodRuntimeState& state, const corev1::PodStatus& old, Time now) {
  corev1::PodStatus status = old;
  status.phase = pod_phase(spec, state);
  status.host_ip = state.host_ip;
  if (!state.host_ip.empty() && status.host_ips.empty()) status.host_ips.push_back({}).ip = state.host_ip;
  if (!state.pod_ip.empty() && status.pod_ip != state.pod_ip) {
    status.pod_ip = state.pod_ip;
    status.pod_ips.clear();
    status.pod_ips.push_back({}).ip = state.pod_ip;
  }
  if (!status.start_time) status.start_time = api::Timestamp::whole_seconds(state.started);
  status.init_container_statuses.reset();
  status.container_statuses.reset();
  for (size_t i = 0; i < state.init_containers.size(); ++i)
    status.init_container_statuses.push_back(container_status(spec.init_containers[i], state.init_containers[i]));
  for (size_t i = 0; i < state.containers.size(); ++i)
    status.container_statuses.push_back(container_status(spec.containers[i], state.containers[i]));
  constexpr size_t kConditions = 4;  // besides PodScheduled
  if (status.conditions.size() <= 1) status.conditions.reserve(status.conditions.size() + kConditions);
  const bool ended = status.phase == kSucceeded || status.phase == kFailed;
  const std::string unready = unready_names(spec, state);
  const Str message = unready.empty() || ended ? Str() : Str(str_cat("containers with unready status: [", unready, "]"));
  const Str& why = status.phase == kSucceeded ? kCompleted : (status.phase == kFailed ? kPodFailed : kNotReady);
  const Str reason = unready.empty() ? Str() : why;
  const bool inits_done = initialized(spec, state);
  condition(status, kSandboxReady, state.sandbox_ready && !ended, Str(), Str(), now);
  condition(status, kInitialized, inits_done, inits_done ? Str() : kNotInitialized, Str(), now);
  condition(status, kReady, unready.empty(), reason, message, now);
  condition(status, kContainersReady, unready.empty(), reason, message, now);
  return status;
}

bool should_restart(std::string_view restart_policy, int32_t exit_code) {
  return restart_policy == "Always" || (restart_policy == "OnFailure" && exit_code != 0);
}

Duration pull_delay(int32_t failures) {
  constexpr ExponentialBackoff kPullBackoff{Duration::seconds(10), Duration::seconds(300)};
  return kPullBackoff.delay(static_cast<uint32_t>(std::max(0, failures - 1)));
}

}  // namespace orrery::kubelet
