#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/component.h"
#include "engine/runtime/event_recorder.h"
#include "engine/sched/framework.h"
#include "engine/sched/scheduling_queue.h"

namespace orrery::sched {

/// kube-scheduler as a component: watches nodes and pods, schedules one pod an event, binds through
/// the API, and tells a pod why it does not fit.
class Scheduler final : public Component {
 public:
  struct Options {
    SchedulerConfig config;
    TieBreak tie_break = TieBreak::kRandom;
    bool events = false;         // record Scheduled and FailedScheduling events
    Duration cost_per_cycle;     // modelled time that one cycle takes
  };
  /// BadRequest if a profile cannot be made.
  static Result<std::unique_ptr<Scheduler>> make(const Env& env, Options options);
  std::unique_ptr<Component> clone(const Env& env) const override;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

  struct Counters {
    uint64_t attempts = 0;
    uint64_t scheduled = 0;
    uint64_t unschedulable = 0;
    /// For each scheduled pod, from when it could be scheduled to the attempt that bound it.
    std::vector<Duration> queue_waits;
  };
  const Counters& counters() const { return counters_; }
  const ClusterState& state() const { return *state_; }
  const SchedulingQueue& queue() const { return queue_; }
  /// A timer is armed that will look at waiting pods again, though nothing may have changed.
  bool waits_only() const { return static_cast<bool>(flush_timer_); }

 private:
  explicit Scheduler(const Env& env) : lanes_(env.lanes), timers_(env.timers), api_(env.api) {}
  Scheduler(const Scheduler& other);

  void on_watch(WatchId watch, Time now);
  void on_node(const WatchEvent& event, Time now);
  void on_pod(const WatchEvent& event, Time now);
  void on_pending_pod(const api::Object& pod, Time now);
  void on_done(uint64_t op, ApiResponse response, Time now);
  void schedule_one(Time now);
  void bind(QueuedPod pod, const Decision& decision, Time now);
  void report_failure(QueuedPod pod, const Decision& decision, Time now);
  void set_condition(const QueuedPod& pod, std::string_view reason, const std::string& message, Time now);
  void moved(ClusterEvent event, const api::Object& before, const api::Object& after, Time now);
  void wake(Time now);
  Framework* framework_of(const Str& scheduler_name);

  /// A binding that has been asked for and not answered.
  struct Binding {
    QueuedPod pod;
    Str key;
    Time attempted;
  };

  Lanes* lanes_;
  Timers* timers_;
  Api* api_;
  Options options_;
  LaneId lane_;
  Time start_;
  WatchId nodes_watch_, pods_watch_;
  bool nodes_synced_ = false, pods_synced_ = false;
  std::unique_ptr<ClusterState> state_;
  std::vector<Framework> frameworks_;
  SchedulingQueue queue_;
  RngStream tie_rng_;
  EventRecorder recorder_;
  Slab<Binding> bindings_;
  bool work_posted_ = false;
  TimerId flush_timer_;
  Time flush_at_ = Time::max();
  Counters counters_;
  std::vector<WatchEvent> arrived_;  // kept for its memory only
};

}  // namespace orrery::sched
