#include <gtest/gtest.h>

#include <cmath>

#include "engine/sched/framework.h"
#include "engine/sched/plugins/gpu/fragmentation.h"
#include "engine/sched/scheduling_queue.h"

namespace orrery::sched {
namespace {

corev1::Node node(const std::string& name, const char* cpu, int gpus = 0, const char* model = "") {
  corev1::Node n;
  n.metadata.mut().name = Str(name);
  auto& status = n.status.mut();
  status.allocatable.set("cpu", api::Quantity::of(cpu));
  status.allocatable.set("memory", api::Quantity::of("64Gi"));
  status.allocatable.set("pods", api::Quantity::of("110"));
  if (gpus > 0) {
    status.allocatable.set(Str(kGpuCountKey), api::Quantity::from_int(gpus));
    n.metadata.mut().labels.set(Str(kGpuModelKey), model);
  }
  return n;
}

api::Object pod(const std::string& name, const char* cpu, int gpus = 0, int milli = 0) {
  corev1::Pod p;
  p.metadata.mut().name = Str(name);
  p.metadata.mut().namespace_ = "default";
  p.metadata.mut().uid = Str(name);
  corev1::Container c;
  c.name = "c";
  c.image = "x:v1";
  c.resources.requests.set("cpu", api::Quantity::of(cpu));
  p.spec.mut().containers.push_back(c);
  if (gpus > 0) {
    p.metadata.mut().annotations.set(Str(kGpuCountKey), Str(std::to_string(gpus)));
    p.metadata.mut().annotations.set(Str(kGpuMilliKey), Str(std::to_string(milli)));
  }
  return api::Object::of(p);
}

Profile gpu_profile(const std::string& policy) {
  const auto json = api::Json::parse(R"({"percentageOfNodesToScore":100,"profiles":[{"plugins":{"multiPoint":{"disabled":[{"name":"*"}],"enabled":[
    {"name":"PrioritySort"},{"name":"NodeResourcesFit"},{"name":"GpuShare"},{"name":")" + policy + R"("},{"name":"DefaultBinder"}]},
    "score":{"disabled":[{"name":"*"}],"enabled":[{"name":")" + policy + R"("}]}}}]})");
  auto config = parse_scheduler_config(*json);
  EXPECT_TRUE(config.is_ok()) << config.status().message();
  return config->profiles[0];
}

api::Object placed(const api::Object& object, const ClusterState& state, const Placement& placement) {
  api::Object out = object;
  auto& p = out.mut<corev1::Pod>();
  p.spec.mut().node_name = state.node(placement.slot).name;
  for (const auto& [key, value] : placement.annotations) p.metadata.mut().annotations.set(key, value);
  return out;
}

// Golden values: unit tests of the published FGD experiment.
TEST(Fragmentation, GoldenValuesOfThePaper) {
  GpuNode n;
  n.model = "1080";
  n.count = 4;
  n.free = {200, 1000, 1000, 500};
  TypicalPod m;
  m.cpu_milli = 6000;
  m.gpu.count = 1;
  m.gpu.milli = 465;
  m.weight = 0.0933;
  EXPECT_NEAR(Fragmentation({m}).of_node(1000, n), 251.91, 1e-9) << "its CPU does not fit: all is lost";
  m.cpu_milli = 0;
  m.weight = 1;
  m.gpu.milli = 1000;
  EXPECT_EQ(Fragmentation({m}).of_node(1000, n), 700);
  m.gpu.milli = 200;
  EXPECT_EQ(Fragmentation({m}).of_node(1000, n), 0);
  m.gpu.models = {"T4"};
  EXPECT_EQ(Fragmentation({m}).of_node(1000, n), 2700) << "no access";
}

int64_t packing_score(int gpus, const std::vector<std::pair<int, int>>& used, int count, int milli) {
  ClusterState state;
  auto framework = Framework::make(gpu_profile("GpuPacking"), state);
  state.set_node(node("n", "96", gpus, "T4"));
  state.set_node(node("other", "96", 1, "T4"));
  int i = 0;
  for (const auto& [gpu, amount] : used) {
    api::Object p = pod("u" + std::to_string(i++), "1", 1, amount);
    p.mut<corev1::Pod>().spec.mut().node_name = "n";
    p.mut_meta().annotations.set(Str(kGpuIndexKey), Str(std::to_string(gpu)));
    state.set_pod(p);
  }
  RngStream rng(1, "t");
  const auto out = framework->explain(framework->pod_info(pod("p", "1", count, milli), state), state, rng);
  return out.nodes[0].total;
}

TEST(GpuPacking, GoldenScoresOfThePaper) {
  const std::vector<std::pair<int, int>> residuals = {{0, 800}, {3, 500}};  // leaves 200, 1000, 1000, 500
  EXPECT_EQ(packing_score(4, residuals, 2, 1000), 48);
  EXPECT_EQ(packing_score(4, {}, 2, 1000), 29);
  EXPECT_EQ(packing_score(8, {}, 2, 1000), 25);
  EXPECT_EQ(packing_score(4, residuals, 2, 200), 93);
}

TEST(TypicalPods, CoverNinetyFivePercentByPopularity) {
  std::vector<TypicalPod> pods;
  const auto add = [&](int64_t cpu, int times) {
    for (int i = 0; i < times; ++i) {
      pods.emplace_back();
      pods.back().cpu_milli = cpu;
    }
  };
  add(1000, 60);
  add(2000, 36);
  add(3000, 4);
  const auto typical = typical_pods(pods);
  ASSERT_EQ(typical.size(), 2u);
  EXPECT_EQ(typical[0].cpu_milli, 1000);
  EXPECT_DOUBLE_EQ(typical[0].weight, 60.0 / 96.0);
}

struct Mix {
  std::string policy;  // "": the default profile
  int percentage;      // of nodes to score
  TieBreak tie_break;
};

corev1::Node random_node(RngStream& rng, uint64_t i) {
  corev1::Node n = node("n" + std::to_string(i), rng.below(3) ? "16" : "8", static_cast<int>(rng.below(5)), rng.below(2) ? "T4" : "P100");
  if (rng.below(2)) n.metadata.mut().labels.set("topology.kubernetes.io/zone", rng.below(2) ? "a" : "b");
  if (rng.below(2)) n.metadata.mut().labels.set("disk", "ssd");
  const auto taint = [&](const char* effect) {
    corev1::Taint t;
    t.key = "special";
    t.value = Str(std::to_string(rng.below(2)));
    t.effect = effect;
    n.spec.mut().taints.push_back(t);
  };
  if (rng.below(20) == 0) taint("NoSchedule");
  if (rng.below(20) == 0) taint("PreferNoSchedule");
  n.spec.mut().unschedulable = rng.below(30) == 0;
  return n;
}

api::Object random_pod(RngStream& rng, int i) {
  const auto kind = static_cast<int>(rng.below(8));
  const bool gpu = kind > 2 && kind < 6;
  api::Object p = pod("p" + std::to_string(i), kind % 2 ? "1" : "700m", gpu ? 1 + kind % 2 : 0, gpu ? (kind % 2 ? 1000 : 400) : 0);
  auto& spec = p.mut<corev1::Pod>().spec.mut();
  if (kind == 6) spec.node_selector.set("disk", "ssd");
  if (kind == 7) spec.affinity.mut().node_affinity.mut().preferred_during_scheduling_ignored_during_execution.push_back([] {
    corev1::PreferredSchedulingTerm term;
    term.weight = 10;
    corev1::NodeSelectorRequirement r;
    r.key = "disk";
    r.operator_ = "In";
    r.values = {"ssd"};
    term.preference.match_expressions.push_back(r);
    return term;
  }());
  return p;
}

/// Everything that a run of churn decides, as text.
std::vector<std::string> decisions(const Mix& mix, bool cached) {
  ClusterState state;
  Profile profile = mix.policy.empty() ? default_scheduler_config().profiles[0] : gpu_profile(mix.policy);
  profile.percentage_of_nodes_to_score = mix.percentage;
  auto framework = Framework::make(profile, state);
  framework->set_use_cache(cached);
  framework->set_tie_break(mix.tie_break);
  RngStream rng(9, "tie"), churn(4, "churn");
  for (uint64_t i = 0; i < 230; ++i) state.set_node(random_node(churn, i));
  std::vector<Str> keys;
  std::vector<std::string> out;
  for (int i = 0; i < 1500; ++i) {
    const api::Object p = random_pod(churn, i);
    const Decision d = framework->schedule(framework->pod_info(p, state), state, rng);
    out.push_back(str_cat(d.scheduled ? state.node(d.placement.slot).name : Str("none"), " ", d.feasible, " ", d.evaluated, " ", d.best_score, " ",
                          d.best_count, " ", d.message, " ", uint64_t{d.rejected_by.size()}));
    if (d.scheduled) {
      state.set_pod(placed(p, state, d.placement));
      keys.push_back(api::object_key(p.meta()));
    }
    // It fills up in the first half and empties a little in the second.
    if (!keys.empty() && churn.below(i < 900 ? 8 : 1) == 0) {
      const size_t gone = churn.below(keys.size());
      state.remove_pod(keys[gone]);
      keys.erase(keys.begin() + static_cast<ptrdiff_t>(gone));
    }
    if (churn.below(60) == 0) state.set_node(random_node(churn, churn.below(230)));
    if (churn.below(200) == 0) state.remove_node(Str("n" + std::to_string(churn.below(230))));
  }
  return out;
}

// What the framework remembers must never change a decision, nor anything else about it.
TEST(Framework, DecisionsAreTheSameAsThoseOfAPlainScanOfAllNodes) {
  for (const std::string policy : {"FGD", "BestFit", "DotProd", "GpuPacking", "GpuClustering", "GpuRandom", ""})
    for (int percentage : {0, 100})
      for (TieBreak tie_break : {TieBreak::kRandom, TieBreak::kFirst, TieBreak::kName}) {
        const Mix mix = {policy, percentage, tie_break};
        const auto plain = decisions(mix, false), cached = decisions(mix, true);
        ASSERT_EQ(plain.size(), cached.size());
        for (size_t i = 0; i < plain.size(); ++i)
          ASSERT_EQ(plain[i], cached[i]) << policy << " " << percentage << " % " << static_cast<int>(tie_break) << ", pod " << i;
      }
}

TEST(Framework, TieBreakFirstAndNameAreWhatTheySay) {
  ClusterState state;
  auto framework = Framework::make(default_scheduler_config().profiles[0], state);
  for (const char* name : {"c", "a", "b"}) state.set_node(node(name, "8"));
  RngStream rng(1, "t");
  const PodInfo info = framework->pod_info(pod("p", "1"), state);
  framework->set_tie_break(TieBreak::kFirst);
  EXPECT_EQ(state.node(framework->schedule(info, state, rng).placement.slot).name, "c");
  framework->set_tie_break(TieBreak::kName);
  EXPECT_EQ(state.node(framework->schedule(info, state, rng).placement.slot).name, "a");
  framework->set_tie_break(TieBreak::kRandom);
  std::map<uint32_t, int> seen;
  for (int i = 0; i < 300; ++i) ++seen[framework->schedule(info, state, rng).placement.slot];
  EXPECT_EQ(seen.size(), 3u);
}

TEST(Framework, AFailureSaysHowManyNodesLackWhat) {
  ClusterState state;
  auto framework = Framework::make(default_scheduler_config().profiles[0], state);
  state.set_node(node("a", "1"));
  state.set_node(node("b", "2"));
  auto cordoned = node("c", "64");
  cordoned.spec.mut().unschedulable = true;
  state.set_node(cordoned);
  RngStream rng(1, "t");
  EXPECT_EQ(framework->schedule(framework->pod_info(pod("p", "8"), state), state, rng).message,
            "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.");
}

struct QueueTest : testing::Test {
  PodInfo info(const std::string& name, int32_t priority = 0) {
    api::Object object = pod(name, "1");
    object.mut<corev1::Pod>().spec.mut().priority = priority;
    return framework->pod_info(object, state);
  }
  static Time at(int64_t s) { return Time::from_unix_seconds(s); }
  ClusterState state;
  Result<Framework> framework = Framework::make(default_scheduler_config().profiles[0], state);
  SchedulingQueue queue;
  QueuedPod out;
};

TEST_F(QueueTest, HigherPriorityFirstThenEarlier) {
  queue.add(info("a"), false, at(1));
  queue.add(info("b", 5), false, at(2));
  queue.add(info("c"), false, at(0));
  std::string order;
  while (queue.pop(at(3), &out)) order += out.info.object.meta().name.str();
  EXPECT_EQ(order, "bca");
}

TEST_F(QueueTest, BackoffDoublesFromOneToTenSeconds) {
  EXPECT_EQ(queue.backoff_of(1).to_seconds(), 1);
  EXPECT_EQ(queue.backoff_of(3).to_seconds(), 4);
  EXPECT_EQ(queue.backoff_of(9).to_seconds(), 10);
}

TEST_F(QueueTest, ARejectedPodWaitsForAnEventThatHelps) {
  queue.add(info("a"), false, at(0));
  ASSERT_TRUE(queue.pop(at(0), &out));
  out.rejected_by = {1};
  queue.add_unschedulable(out, at(0));
  queue.move(at(5), [](const QueuedPod&) { return false; });
  EXPECT_FALSE(queue.pop(at(5), &out));
  queue.move(at(5), [](const QueuedPod&) { return true; });
  EXPECT_TRUE(queue.pop(at(5), &out)) << "its back-off is over";
}

TEST_F(QueueTest, AnEventDuringBackoffIsHeldBackUntilItEnds) {
  queue.add(info("a"), false, at(0));
  ASSERT_TRUE(queue.pop(at(0), &out));
  out.rejected_by = {1};
  queue.add_unschedulable(out, at(0));
  queue.move(Time{1}, [](const QueuedPod&) { return true; });
  EXPECT_EQ(queue.backing_off(), 1u);
  EXPECT_EQ(queue.next_flush(at(0)), at(1));
  queue.flush(at(1));
  EXPECT_TRUE(queue.pop(at(1), &out));
}

TEST_F(QueueTest, AfterFiveMinutesAPodIsTriedAgainWhateverHappens) {
  queue.add(info("a"), false, at(0));
  ASSERT_TRUE(queue.pop(at(0), &out));
  out.rejected_by = {1};
  queue.add_unschedulable(out, at(0));
  EXPECT_EQ(queue.next_flush(at(0)), at(330)) << "the loop runs every 30 s";
  queue.flush(at(330));
  EXPECT_TRUE(queue.pop(at(330), &out));
}

TEST_F(QueueTest, AGatedPodStaysOutUntilItsGatesAreGone) {
  queue.add(info("a"), true, at(0));
  queue.move(at(1), [](const QueuedPod&) { return true; });
  EXPECT_FALSE(queue.pop(at(1), &out));
  queue.update(info("a"), false, false, at(2));
  EXPECT_TRUE(queue.pop(at(2), &out));
}

}  // namespace
}  // namespace orrery::sched
