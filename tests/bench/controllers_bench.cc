#include <benchmark/benchmark.h>

#include <chrono>

#include "engine/api/gen/appsv1.h"
#include "engine/control/deployment/deployment_controller.h"
#include "engine/control/replicaset/replicaset_controller.h"
#include "engine/runtime/api_requests.h"
#include "engine/server/server.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"
#include "tests/support/instant_kubelets.h"

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
    test::InstantKubelets kubelets(kernel, server, Duration::seconds(1), Duration::seconds(5));
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
  }
  const auto runs = static_cast<double>(state.iterations());
  state.counters["replicaset_s"] = replicasets / runs;
  state.counters["deployment_s"] = deployments / runs;
  state.counters["syncs"] = static_cast<double>(syncs);
}
BENCHMARK(ten_deployments)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace orrery
