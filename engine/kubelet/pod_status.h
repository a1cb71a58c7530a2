#pragma once

#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/base/time.h"
#include "engine/kubelet/crash_loop.h"

namespace orrery::kubelet {

/// How a run of a container has ended.
struct EndedRun {
  Time started_at, finished_at;
  int32_t exit_code = 0;
  Str exit_reason;
  Str container_id;
};

/// What the kubelet knows about one container of a pod.
struct ContainerState {
  enum class Phase : uint8_t { kWaiting, kPulling, kStarting, kRunning, kTerminated };
  Str name;
  Phase phase = Phase::kWaiting;
  bool restarting = false;  // has ended, and is about to be started again
  bool ready = false;
  Str waiting_reason;   // ContainerCreating, PodInitializing, CrashLoopBackOff, ErrImagePull, ImagePullBackOff
  Str waiting_message;
  int32_t restart_count = 0;
  CrashLoop crash_loop;
  int32_t failed_pulls = 0;
  int32_t exit_code = 0;
  Time started_at, finished_at;
  Str exit_reason;
  Str container_id;
  Ref<EndedRun> last;  // the run before this one
};

/// What status is made from.
struct PodRuntimeState {
  Time started;             // when the kubelet first saw the pod
  Str host_ip, pod_ip;
  bool sandbox_ready = false;
  std::vector<ContainerState> init_containers;
  std::vector<ContainerState> containers;
};

/// status.phase. Source: Kubernetes v1.32 pkg/kubelet/kubelet_pods.go (getPhase).
Str pod_phase(const corev1::PodSpec& spec, const PodRuntimeState& state);

/// The whole status, as the kubelet writes it; conditions keep the transition times of `old` where
/// their status has not changed.
corev1::PodStatus make_pod_status(const corev1::PodSpec& spec, const PodRuntimeState& state, const corev1::PodStatus& old, Time now);

/// True if a container that has ended is to be started again.
bool should_restart(std::string_view restart_policy, int32_t exit_code);

/// Delay after pull number `failures` (1, 2, ...) has failed: 10 s doubling to 300 s.
/// Source: Kubernetes v1.32 kubelet (ImagePullBackOff).
Duration pull_delay(int32_t failures);

}  // namespace orrery::kubelet
