#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/kubelet/node_heartbeat.h"
#include "engine/kubelet/pod_status.h"
#include "engine/ports/component.h"
#include "engine/ports/container_runtime.h"

namespace orrery::kubelet {

struct KubeletOptions {
  Str node;
  Str host_ip;
  Time begins;  // in the past: at once
  HeartbeatOptions heartbeat;
};

/// Events of kind kUser, posted to a kubelet's lane by its world: it is cut off (it goes on with its
/// containers, but sees and writes nothing), and connected again.
inline constexpr uint64_t kConnectionLost = 2;
inline constexpr uint64_t kConnectionBack = 3;

/// One node's agent: runs the pods that are bound to its node over a ContainerRuntime and reports
/// their status. A pod worker goes SyncPod -> TerminatingPod -> TerminatedPod and never back.
///
/// A container with a readiness probe is ready when the runtime says so, another when it runs.
///
/// Not there yet: the other probes, volumes, resource admission, static
/// pods, ephemeral containers.
class Kubelet final : public Component {
 public:
  Kubelet(const Env& env, ContainerRuntime* runtime, const KubeletOptions& options);
  std::unique_ptr<Component> clone(const Env& env) const override;
  std::unique_ptr<Kubelet> fork(const Env& env, ContainerRuntime* runtime) const;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

  size_t pods() const { return workers_.size(); }

 private:
  enum class Stage : uint8_t { kSync, kTerminating, kTerminated };
  struct Worker {
    api::Object pod;              // newest seen
    uint32_t id = 0;              // in tickets and timers
    Stage stage = Stage::kSync;
    bool sandbox_asked = false;
    bool status_in_flight = false;
    bool status_stale = false;    // changed since the write in flight
    bool deletion_asked = false;
    PodRuntimeState state;
  };
  // What an answer or timer is about, packed into its number.
  enum class Op : uint32_t { kSandbox = 1, kPull, kStart, kStop, kStatus, kDelete, kRestart, kRenewal, kNodeRead, kNodePosted };
  static uint64_t pack(Op op, uint32_t worker, uint32_t container) {
    return static_cast<uint64_t>(op) << 56 | uint64_t{container} << 32 | worker;
  }

  void on_start(Time now);
  void on_timer(const Event& event, Time now);
  void on_user(const Event& event, Time now);
  void set_connected(bool connected, Time now);
  void arm_renewal(Time now);
  void on_node_answer(Op op, const ApiResponse& response, Time now);
  void on_watch(Time now);
  void on_pod(const api::Object& pod, Time now);
  void on_gone(const api::Object& pod);
  void on_done(uint64_t op, uint64_t handle, Time now);
  void on_runtime_answer(Op kind, uint64_t op, const RuntimeOutcome& outcome, Time now);
  void on_exit(const ContainerExit& exit, Time now);
  void on_ready(const ContainerRef& ref, Time now);
  void sync(Worker& worker, Time now);
  void start_next(Worker& worker, Time now);
  void begin_container(Worker& worker, uint32_t index, Time now);
  void container_ended(Worker& worker, uint32_t index, Time now);
  void terminate(Worker& worker, Time now);
  void finish_if_stopped(Worker& worker, Time now);
  void write_status(Worker& worker, Time now);
  void delete_pod(Worker& worker);
  ContainerState& container(Worker& worker, uint32_t index);
  const corev1::Container& container_spec(const Worker& worker, uint32_t index) const;
  uint32_t container_count(const Worker& worker) const;
  Opt<uint32_t> find_running(Worker& worker, const Str& name);
  Worker* find(uint32_t id);

  Lanes* lanes_;
  Timers* timers_;
  Api* api_;
  ContainerRuntime* runtime_;
  Str node_;
  Str host_ip_;
  LaneId lane_;
  WatchId watch_;
  bool connected_ = true;
  NodeHeartbeat heartbeat_;
  TimerId renewal_timer_;         // with leases that are written
  uint32_t next_id_ = 1;
  std::map<uint32_t, Worker> workers_;
  std::unordered_map<Str, uint32_t> by_uid_;
  List<corev1::PodCondition> conditions_;  // of the status written last
  std::vector<WatchEvent> arrived_;  // kept for its memory only
};

}  // namespace orrery::kubelet
