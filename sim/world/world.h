#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/kubelet/kubelet.h"
#include "engine/sched/scheduler.h"
#include "engine/server/rest/rest.h"
#include "engine/server/server.h"
#include "sim/kernel/kernel.h"
#include "sim/node/container_model.h"
#include "sim/node/sim_runtime.h"
#include "sim/store/sim_store.h"
#include "sim/world/metrics.h"
#include "sim/world/run_result.h"
#include "sim/world/scenario.h"
#include "sim/world/timeline.h"
#include "sim/world/workload_driver.h"

namespace orrery::sim {

/// One simulated cluster: a scenario and a seed, and nothing else. Worlds do not share mutable
/// state: any number live side by side, one thread each.
class World {
 public:
  static Result<std::unique_ptr<World>> create(std::shared_ptr<const Scenario> scenario, uint64_t seed);
  /// A world that answers requests over HTTP while it runs. Such a world cannot be forked, and the
  /// requests are part of its input. The transport outlives it and is used by its one thread only.
  static Result<std::unique_ptr<World>> create_served(std::shared_ptr<const Scenario> scenario, uint64_t seed,
                                                      HttpTransport* transport, server::ServerOptions options);

  /// Called now and then during run(): virtual time since the start, share of the work submitted.
  using Progress = std::function<void(Duration elapsed, double submitted)>;
  /// Runs to the horizon, or until nothing more happens. Errors: the API refused every submission.
  Result<RunResult> run(const Progress& progress = nullptr);
  /// One event; false at the end.
  bool step();
  /// Runs what is due by `until`, at most `events_max` events; true if more is due. Time does not stop at
  /// the horizon, and stands at `until` when all is done.
  bool advance(Time until, size_t events_max);
  /// Where a transport announces its requests.
  Lanes* lanes() { return &kernel_; }
  /// A copy in mid-run: it goes on exactly as this one will.
  std::unique_ptr<World> fork() const;

  Time now() const { return kernel_.now(); }
  uint64_t events() const { return kernel_.events_executed(); }
  /// Over all events executed and over the state of the store.
  uint64_t digest() const;
  void set_tie_shuffle(uint64_t seed) { kernel_.set_tie_shuffle(seed); }
  const server::Server& server() const { return *server_; }

 private:
  World(std::shared_ptr<const Scenario> scenario, uint64_t seed, Kernel kernel);
  Status build(HttpTransport* transport, server::ServerOptions options);
  Status add_front(HttpTransport* transport, server::ServerOptions options);
  void add_controllers();
  void add_upkeep();
  Status add_kubelets(const std::vector<WorkloadDriver::Plan::Joining>& nodes);
  Status add_drains(const std::vector<WorkloadDriver::Plan::Joining>& nodes);
  template <typename T, typename Options>
  void add_controller(Options options);
  Env env();
  bool settled() const;
  RunResult result() const;

  std::shared_ptr<const Scenario> scenario_;
  uint64_t seed_;
  Kernel kernel_;
  Time end_;
  std::unique_ptr<SimStore> store_;
  std::unique_ptr<server::Server> server_;
  ContainerModel containers_;  // what the front tells of containers
  std::unique_ptr<server::Rest> rest_;  // of a world that is served
  std::unique_ptr<SimRuntime> runtime_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Timeline> timeline_;  // if it was asked for
  std::unique_ptr<sched::Scheduler> scheduler_;
  std::vector<std::unique_ptr<Component>> controllers_;
  std::vector<std::unique_ptr<kubelet::Kubelet>> kubelets_;
  std::unique_ptr<WorkloadDriver> driver_;
  int64_t last_writes_ = 0;
  Time last_write_time_;
};

}  // namespace orrery::sim
