#include <benchmark/benchmark.h>

#include <deque>

#include "engine/base/check.h"
#include "engine/sched/framework.h"

namespace orrery {
namespace {

using namespace sched;

/// The default profile over equal nodes, every node scored. Pods come, are placed, and go in the
/// order in which they came.
class Cluster {
 public:
  Cluster(int64_t nodes, bool plain) : framework_(make(state_)) {
    framework_.set_use_cache(!plain);
    for (int64_t i = 0; i < nodes; ++i) {
      corev1::Node node;
      node.metadata.mut().name = Str(str_cat("node-", i));
      node.metadata.mut().labels.set("kubernetes.io/hostname", node.metadata->name);
      auto& allocatable = node.status.mut().allocatable;
      allocatable.set("cpu", api::Quantity::from_int(32 + i % 3 * 16));
      allocatable.set("memory", api::Quantity::of("128Gi"));
      allocatable.set("pods", api::Quantity::from_int(110));
      state_.set_node(node);
    }
  }
  /// A pod of the template with this number.
  PodInfo pod(int64_t number) {
    corev1::Pod& shape = shapes_[number];
    if (!shape.spec) {
      corev1::Container container;
      container.name = "main";
      container.image = "app:v1";
      container.resources.requests.set("cpu", api::Quantity::from_milli(50 + number % 211 * 7));
      container.resources.requests.set("memory", api::Quantity::from_int((64 << 20) + number * 4096));
      shape.spec.mut().containers.push_back(std::move(container));
      shape.spec.mut().scheduler_name = "default-scheduler";
    }
    corev1::Pod pod = shape;
    auto& meta = pod.metadata.mut();
    meta.namespace_ = "default";
    meta.name = Str(str_cat("pod-", made_++));
    meta.uid = meta.name;
    return framework_.pod_info(api::Object::of(std::move(pod)), state_);
  }
  /// For templates that are used once.
  void forget_templates() { shapes_.clear(); }
  void schedule(const PodInfo& info) {
    const Decision decision = framework_.schedule(info, state_, rng_);
    CHECK(decision.scheduled);
    api::Object placed = info.object;
    placed.mut<corev1::Pod>().spec.mut().node_name = state_.node(decision.placement.slot).name;
    state_.set_pod(placed, info.cls);
    running_.push_back(api::object_key(placed.meta()));
  }
  void remove_oldest() {
    state_.remove_pod(running_.front());
    running_.pop_front();
  }
  size_t running() const { return running_.size(); }

 private:
  static Framework make(ClusterState& state) {
    Profile profile = default_scheduler_config().profiles[0];
    profile.percentage_of_nodes_to_score = 100;
    return std::move(*Framework::make(profile, state));
  }
  ClusterState state_;
  Framework framework_;
  RngStream rng_{1, "tie"};
  std::map<int64_t, corev1::Pod> shapes_;
  std::deque<Str> running_;
  int64_t made_ = 0;
};

constexpr int64_t kBatch = 256;

/// Items: decisions with their placements, of pods that are all different; as many pods as nodes run.
/// What is worked out when a pod is first seen (its class) is not counted.
void distinct(benchmark::State& state, bool plain) {
  Cluster cluster(state.range(0), plain);
  int64_t number = 0;
  while (static_cast<int64_t>(cluster.running()) < state.range(0)) cluster.schedule(cluster.pod(number++ % 20));
  std::vector<PodInfo> pods;
  for (auto _ : state) {
    state.PauseTiming();
    pods.clear();
    cluster.forget_templates();
    for (int64_t i = 0; i < kBatch; ++i) pods.push_back(cluster.pod(number++));
    state.ResumeTiming();
    for (const PodInfo& pod : pods) {
      cluster.schedule(pod);
      cluster.remove_oldest();
    }
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
void sched_distinct(benchmark::State& state) { distinct(state, false); }
void sched_distinct_baseline(benchmark::State& state) { distinct(state, true); }
BENCHMARK(sched_distinct)->Arg(1000)->Arg(5000)->Arg(10000)->Arg(100000)->Unit(benchmark::kMillisecond);
BENCHMARK(sched_distinct_baseline)->Arg(1000)->Arg(5000)->Unit(benchmark::kMillisecond);

/// Items: decisions, each with a placement and a pod that goes; 5,000 nodes, five pods on each, of as
/// many templates as the argument says.
void churn(benchmark::State& state, bool plain) {
  constexpr int64_t kNodes = 5000, kPods = 25000;
  Cluster cluster(kNodes, plain);
  const int64_t templates = state.range(0);
  RngStream rng(2, "templates");
  const auto next = [&] { return static_cast<int64_t>(rng.below(static_cast<uint64_t>(templates))); };
  for (int64_t i = 0; i < (plain ? 1000 : kPods); ++i) cluster.schedule(cluster.pod(i < templates ? i : next()));
  std::vector<PodInfo> pods;
  for (auto _ : state) {
    state.PauseTiming();
    pods.clear();
    for (int64_t i = 0; i < kBatch; ++i) pods.push_back(cluster.pod(next()));
    state.ResumeTiming();
    for (const PodInfo& pod : pods) {
      cluster.schedule(pod);
      cluster.remove_oldest();
    }
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
void sched_churn(benchmark::State& state) { churn(state, false); }
void sched_churn_baseline(benchmark::State& state) { churn(state, true); }
BENCHMARK(sched_churn)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(sched_churn_baseline)->Arg(10)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace orrery
