#pragma once

#include <memory>
#include <vector>

#include "engine/ports/component.h"
#include "sim/world/scenario.h"
#include "traces/trace.h"

namespace orrery::sim {

/// The user of a simulated cluster: creates nodes first, then submits each source of work at its
/// time, deletes pods whose lifetime is over, and those that do not fit where a source says so.
class WorkloadDriver final : public Component {
 public:
  /// What is to be done, worked out from a scenario and a seed. Shared by copies of a world.
  struct Plan {
    struct Joining {
      Duration at;
      corev1::Node node;
    };
    std::vector<Joining> nodes;
    struct TracePod {
      Duration at;
      traces::WorkloadEvent event;
      bool stay = false;
      bool delete_unschedulable = false;
    };
    std::vector<TracePod> pods;   // by time
    struct Creation {
      Duration at;
      api::Object object;
      std::string origin;  // where it was found; "": generated
    };
    std::vector<Creation> objects;  // by time
    std::vector<Action> changes;  // by time
    Str ns;
    std::vector<traces::WorkloadEvent> trace_pool;  // the first trace as it stands in its file
  };
  static Result<Plan> plan(const Scenario& scenario, Rng rng);

  WorkloadDriver(const Env& env, std::shared_ptr<const Plan> plan);
  std::unique_ptr<Component> clone(const Env& env) const override;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

  /// Everything has been submitted.
  bool done() const { return started_ && next_node_ == plan_->nodes.size() && next_pod_ == plan_->pods.size() && next_object_ == plan_->objects.size() && next_change_ == plan_->changes.size(); }
  size_t submitted() const { return next_pod_ + next_object_; }
  size_t total() const { return plan_->pods.size() + plan_->objects.size(); }
  /// Requests that the API refused, and why the first was.
  int64_t refused() const { return refused_; }
  const Status& first_refusal() const { return first_refusal_; }

 private:
  void begin(Time now);
  void create_node();
  void submit_due(Time now);
  void arm_next(Time now);
  void on_done(uint64_t op, ApiResponse response, Time now);
  void on_watch();
  void delete_pod(const Str& ns, const Str& name);

  Lanes* lanes_;
  Timers* timers_;
  Api* api_;
  LaneId lane_;
  std::shared_ptr<const Plan> plan_;
  traces::PodFactory factory_;
  WatchId watch_;
  bool watching_ = false;
  bool started_ = false;
  Time begin_;
  size_t next_node_ = 0, first_nodes_ = 0, nodes_answered_ = 0;
  size_t next_pod_ = 0, next_object_ = 0, next_change_ = 0;
  int64_t refused_ = 0;
  Status first_refusal_;
  std::vector<WatchEvent> arrived_;
};

}  // namespace orrery::sim
