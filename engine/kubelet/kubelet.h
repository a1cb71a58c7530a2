#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/kubelet/pod_status.h"
#include "engine/ports/component.h"
#include "engine/ports/container_runtime.h"

namespace orrery::kubelet {

/// One node's agent: runs the pods that are bound to its node over a ContainerRuntime and reports
/// their status. A pod worker goes SyncPod -> TerminatingPod -> TerminatedPod and never back.
///
/// Node heartbeats are lazy: while the kubelet is up its lease is renewed every 10 s by definition,
/// and nothing is written; last_lease_renewal() computes it. Whoever watches over nodes asks that.
///
/// Not there yet: probes (a container is ready when it runs), volumes, resource admission, static
/// pods, ephemeral containers.
class Kubelet final : public Component {
 public:
  Kubelet(const Env& env, ContainerRuntime* runtime, Str node_name, Str host_ip);
  std::unique_ptr<Component> clone(const Env& env) const override;
  std::unique_ptr<Kubelet> fork(const Env& env, ContainerRuntime* runtime) const;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

  /// Cuts the kubelet off (no reaction, no writes), or reconnects it.
  void set_connected(bool connected, Time now);
  static constexpr Duration kLeasePeriod = Duration::seconds(10);
  /// When the node's lease was last renewed, as of `now`.
  Time last_lease_renewal(Time now) const;
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
  enum class Op : uint32_t { kSandbox = 1, kPull, kStart, kStop, kStatus, kDelete, kRestart };
  static uint64_t pack(Op op, uint32_t worker, uint32_t container) {
    return static_cast<uint64_t>(op) << 56 | uint64_t{container} << 32 | worker;
  }

  void on_watch(Time now);
  void on_pod(const api::Object& pod, Time now);
  void on_gone(const api::Object& pod);
  void on_done(uint64_t op, uint64_t handle, Time now);
  void on_exit(const ContainerExit& exit, Time now);
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
  Time connected_since_;
  Time last_renewal_;             // while cut off
  uint32_t next_id_ = 1;
  std::map<uint32_t, Worker> workers_;
  std::unordered_map<Str, uint32_t> by_uid_;
  std::vector<WatchEvent> arrived_;  // kept for its memory only
};

}  // namespace orrery::kubelet
