#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/ports/component.h"
#include "engine/sched/plugins/gpu/fragmentation.h"
#include "sim/world/run_result.h"

namespace orrery::sim {

/// Watches nodes and pods, decides nothing: counts, times, allocation and fragmentation, all kept
/// incrementally. Allocation counts requests of bound pods that have not ended; utilisation counts
/// those of them that run (a pod is taken to use what it requests).
class Metrics final : public Component {
 public:
  Metrics(const Env& env, Duration interval, sched::Fragmentation fragmentation);
  std::unique_ptr<Component> clone(const Env& env) const override;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

  /// Adds what was measured until `now`.
  void fill(RunResult& result, Time now) const;

 private:
  enum class State : uint8_t { kPending, kBound, kRunning, kSucceeded, kFailed, kDeleted, kDropped };
  struct PodRecord {
    Str name, node;
    State state = State::kPending;
    bool counted = false;     // in the allocation
    bool used = false;        // in the utilisation
    bool decided = false;     // bound or found unschedulable, for the arrival samples
    Time created, bound{-1}, running{-1}, finished{-1};
    int64_t cpu_milli = 0, memory_bytes = 0, gpu_milli = 0;
    Map<Str> annotations;
  };
  struct NodeRecord {
    int64_t cpu_milli = 0, memory_bytes = 0, gpu_milli = 0;
    int64_t free_cpu = 0;
    double fragmentation = 0;
  };
  void on_node(const WatchEvent& event);
  void on_pod(const WatchEvent& event, Time now);
  void account(PodRecord& pod, const corev1::Pod& object, bool add);
  void use(PodRecord& pod, bool runs);
  void refresh_node(uint32_t slot);
  void decided(PodRecord& pod);
  void sample_until(Time now);
  Sample sample_at(Time now) const;
  double percent(int64_t part, int64_t whole) const { return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0; }

  Lanes* lanes_;
  Timers* timers_;
  Api* api_;
  LaneId lane_;
  Duration interval_;
  sched::Fragmentation fragmentation_;
  Time start_, next_sample_;
  WatchId nodes_watch_, pods_watch_;
  sched::GpuDevices devices_;
  std::unordered_map<Str, uint32_t> node_slots_;
  std::vector<NodeRecord> nodes_;
  std::unordered_map<Str, uint32_t> pod_index_;  // by uid
  std::vector<PodRecord> pods_;
  int64_t cpu_capacity_ = 0, memory_capacity_ = 0, gpu_capacity_ = 0;
  int64_t cpu_allocated_ = 0, memory_allocated_ = 0, gpu_allocated_ = 0, gpu_arrived_ = 0;
  int64_t cpu_used_ = 0, memory_used_ = 0, gpu_used_ = 0;
  double fragmented_ = 0;
  int64_t counts_[7] = {};
  std::vector<Sample> series_;
  struct Bin {
    int64_t samples = 0;
    double unallocated = 0, fragmentation = 0, rate = 0;
  };
  std::map<int64_t, Bin> bins_;
  std::vector<WatchEvent> arrived_;
};

}  // namespace orrery::sim
