#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>

#include "engine/api/gen/appsv1.h"
#include "engine/control/deployment/deployment_controller.h"
#include "engine/control/replicaset/replicaset_controller.h"
#include "engine/runtime/api_requests.h"
#include "engine/server/server.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"

namespace orrery {
namespace {

/// Adds up what a component's handlers take.
class Stopwatch final : public LaneHandler {
 public:
  Stopwatch(sim::Kernel& kernel, Component& component) : component_(&component) {
    kernel.rebind(component.lane(), this);
  }
  void handle(const Ctx& ctx, const Event& event) override {
    const auto start = std::chrono::steady_clock::now();
    component_->handle(ctx, event);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  double seconds = 0;

 private:
  Component* component_;
};

/// Every pod becomes Running and Ready, each at a time of its own.
class InstantKubelets final : public LaneHandler {
 public:
  InstantKubelets(sim::Kernel& kernel, Api& api) : kernel_(&kernel), api_(&api) {
    lane_ = kernel.open("kubelets", this);
    watch_ = api.watch(lane_, {&kind_of<corev1::Pod>(), {}, {}, {}});
  }
  void handle(const Ctx& ctx, const Event& event) override {
    if (event.kind == EventKind::kDone) {
      const ApiResponse done = api_->take(event.b);
      CHECK(done.status.is_ok()) << done.status.message();
    } else if (event.kind == EventKind::kTimer) {
      start(ctx, waiting_[event.a]);
    } else if (event.kind == EventKind::kWatch) {
      events_.clear();
      api_->drain(watch_, events_);
      for (const WatchEvent& e : events_) {
        if (e.type != WatchEventType::kAdded) continue;
        waiting_.push_back(e.object);
        kernel_->arm(lane_,
                     ctx.now + Duration::millis(1000) + Duration::micros(rng_.below(5'000'000)),
                     {EventKind::kTimer, 0, waiting_.size() - 1, 0});
      }
    }
  }

 private:
  void start(const Ctx& ctx, api::Object& pod) {
    auto& status = pod.mut<corev1::Pod>().status.mut();
    status.phase = running_;
    corev1::PodCondition ready;
    ready.type = ready_;
    ready.status = true_;
    ready.last_transition_time = ctx.now;
    status.conditions.push_back(ready);
    api_->call({lane_, 1}, update_request(std::move(pod), "status"));
    pod = api::Object();
  }
  sim::Kernel* kernel_;
  Api* api_;
  LaneId lane_;
  WatchId watch_;
  RngStream rng_{1, "starts"};
  std::vector<WatchEvent> events_;
  std::vector<api::Object> waiting_;
  Str running_ = "Running", ready_ = "Ready", true_ = "True";
};

struct Client final : LaneHandler {
  explicit Client(Api& api) : api_(&api) {}
  void handle(const Ctx&, const Event& event) override {
    const ApiResponse done = api_->take(event.b);
    CHECK(done.status.is_ok()) << done.status.message();
  }
  Api* api_;
};

api::Object deployment(int number, int replicas) {
  appsv1::Deployment d;
  const std::string name = str_cat("web-", number);
  d.metadata.mut().namespace_ = "default";
  d.metadata.mut().name = name;
  auto& spec = d.spec.mut();
  spec.replicas = replicas;
  spec.selector.mut().match_labels.set("app", name);
  spec.template_.mut().metadata.mut().labels.set("app", name);
  corev1::Container container;
  container.name = "main";
  container.image = "app:v1";
  spec.template_.mut().spec.mut().containers.push_back(container);
  return api::Object::of(std::move(d));
}

/// 10 Deployments of 5,000 pods each, from creation until all are ready, without scheduler and
/// nodes: what the controllers' own handlers take.
void ten_deployments(benchmark::State& state) {
  double replicasets = 0, deployments = 0;
  uint64_t syncs = 0;
  for (auto _ : state) {
    sim::Kernel kernel(Time::from_unix_seconds(1'700'000'000));
    sim::SimStore store(&kernel, &kernel);
    server::Server server({&kernel, &kernel, nullptr, Rng(1)}, &store, {});
    const Env env{&kernel, &kernel, &server, Rng(1)};
    control::ReplicaSetOptions rs_options;
    control::DeploymentOptions d_options;
    control::ReplicaSetController rs(env, rs_options);
    control::DeploymentController d(env, d_options);
    Stopwatch rs_watch(kernel, rs), d_watch(kernel, d);
    InstantKubelets kubelets(kernel, server);
    Client client(server);
    const LaneId lane = kernel.open("client", &client);
    for (const LaneId start : {server.lane(), rs.lane(), d.lane()})
      kernel.post(start, {EventKind::kStart, 0, 0, 0});
    for (int i = 0; i < 10; ++i)
      server.call({lane, 1}, create_request(deployment(i, static_cast<int>(state.range(0)))));
    kernel.run_until(Time::from_unix_seconds(1'700'000'100));
    replicasets += rs_watch.seconds;
    deployments += d_watch.seconds;
    syncs = rs.syncs_finished() + d.syncs_finished();
    int ready = 0;
    server.cache(kind_of<appsv1::Deployment>());
    (void)ready;
  }
  const auto runs = static_cast<double>(state.iterations());
  state.counters["replicaset_s"] = replicasets / runs;
  state.counters["deployment_s"] = deployments / runs;
  state.counters["syncs"] = static_cast<double>(syncs);
}
BENCHMARK(ten_deployments)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace orrery
