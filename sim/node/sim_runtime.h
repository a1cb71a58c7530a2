#pragma once

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "engine/base/rng.h"
#include "engine/base/slab.h"
#include "engine/ports/container_runtime.h"
#include "models/startup/delay.h"

namespace orrery::sim {

/// Annotations of a pod that say how its containers behave.
/// Seconds or a distribution (models::Delay), drawn for each run; absent or wrong: for ever.
inline constexpr std::string_view kRunSecondsKey = "orrery.dev/run-seconds";
/// Default 0. Of an indexed Job, a list such as 0,1,0 gives each index its own.
inline constexpr std::string_view kExitCodeKey = "orrery.dev/exit-code";

/// The ContainerRuntime port in virtual time, for all nodes of a world. Delays are drawn from streams
/// keyed by the pod, so they do not depend on the order of events elsewhere.
///
/// An image tag ":bad" can never be pulled, a container of an image tag ":unready" never gets ready.
/// Plain copyable state.
class SimRuntime final : public ContainerRuntime, public LaneHandler {
 public:
  struct Options {
    models::Delay sandbox = models::Delay::constant(0);
    models::Delay pull = models::Delay::constant(0);   // of an image that the node does not have
    models::Delay start = models::Delay::constant(1);  // of a container, its image being there
    Opt<models::Delay> restart;                        // of starting one again; default: as start
    models::Delay ready = models::Delay::constant(0);  // from running to passing its readiness probe
    models::Delay stop = models::Delay::constant(0);   // from the request to the exit
    int32_t stop_exit_code = 0;
  };
  SimRuntime(Lanes* lanes, Timers* timers, Rng rng, Options options);
  std::unique_ptr<SimRuntime> fork(Lanes* lanes, Timers* timers) const;
  LaneId lane() const { return lane_; }

  void subscribe(const Str& node, LaneId lane) override;
  void run_pod_sandbox(Ticket ticket, const Str& node, const api::Object& pod) override;
  void pull_image(Ticket ticket, const Str& node, const Str& image) override;
  void start_container(Ticket ticket, const Str& node, const api::Object& pod, const Str& container, int32_t attempt) override;
  void stop_container(Ticket ticket, const ContainerRef& ref, Duration grace) override;
  void remove_pod_sandbox(Ticket ticket, const Str& node, const Str& pod_uid) override;
  RuntimeOutcome take(uint64_t handle) override { return outcomes_.take(handle); }
  ContainerExit take_exit(uint64_t handle) override { return exits_.take(handle); }
  ContainerRef take_ready(uint64_t handle) override { return ready_.take(handle); }
  void handle(const Ctx& ctx, const Event& event) override;

 private:
  struct Running {
    ContainerRef ref;
    int32_t exit_code = 0;
    TimerId exit_timer;
    bool stopping = false;
    uint64_t next = 0;  // another running container of the pod, 0 for none
  };
  struct Node {
    LaneId lane;
    std::set<Str> images;
    uint32_t addresses = 0;
  };
  void answer(Ticket ticket, RuntimeOutcome outcome, Duration after);
  void schedule_ready(uint64_t running, const corev1::Container& spec, Duration after);
  void schedule_exit(uint64_t running, Duration after);
  void exit_now(uint64_t running);

  Lanes* lanes_;
  Timers* timers_;
  Rng rng_;
  Options options_;
  LaneId lane_;
  std::unordered_map<Str, Node> nodes_;
  std::unordered_map<Str, uint64_t> by_pod_;  // uid -> its running container begun last
  Slab<Running> running_;
  Slab<RuntimeOutcome> outcomes_;
  Slab<ContainerExit> exits_;
  Slab<ContainerRef> ready_;
  uint64_t pulls_ = 0;
};

}  // namespace orrery::sim
