#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/api/gen/appsv1.h"
#include "engine/api/pod_resources.h"
#include "sim/world/world.h"
#include "tests/unit/sim/world/scenario_files.h"

namespace orrery::sim {
namespace {

// Three zones of two nodes; n-0 is cut off for ten minutes at 1:00.
const char* const kOutage = R"yaml(
cluster: {nodes: [{group: {name: n, count: 6, cpu: 4, memory: 8Gi, zones: [a, b, c]}}]}
workloads:
  - deployments: {name: web, count: 1, replicas: 12, cpu: 500m}
  - jobs: {name: batch, count: 2, replicas: 3, runSeconds: "uniform(200,900)"}
kubelet: {outages: [{node: n-0, at: 60s, for: 10m}]}
horizon: 20m
)yaml";

/// What became of a node and of the pods that were on it, as a world goes by.
struct Story {
  Time unknown, unreachable, first_deletion, ready_again;
  bool had_pods = false;
  bool operator==(const Story&) const = default;
};

const corev1::Node* node_of(const World& world, const char* name) {
  const auto* entry = find_stored<corev1::Node>(world, "", name);
  return entry ? &entry->object.get<corev1::Node>() : nullptr;
}

int32_t available(const World& world) {
  const auto* entry = find_stored<appsv1::Deployment>(world, "default", "web-0");
  return entry->object.get<appsv1::Deployment>().status->available_replicas;
}

bool has_no_execute(const corev1::Node& node) {
  return std::any_of(node.spec->taints.begin(), node.spec->taints.end(),
                     [](const auto& taint) { return taint.effect == "NoExecute"; });
}

Story watch(World& world, const char* name) {
  Story story;
  const Time never;
  const Time start = world.now();
  while (world.step()) {
    const corev1::Node* node = node_of(world, name);
    if (!node) continue;
    const auto* ready = api::find_condition(*node->status, "Ready");
    if (ready->status == "Unknown" && story.unknown == never) story.unknown = world.now();
    if (has_no_execute(*node) && story.unreachable == never) story.unreachable = world.now();
    if (story.unknown != never && ready->status == "True" && story.ready_again == never)
      story.ready_again = world.now();
    if (world.now() - start < Duration::seconds(60) || story.first_deletion != never) continue;
    for (const Str& key : world.server().cache(*corev1::Pod::descriptor().kind).keys()) {
      const auto* entry = world.server().cache(*corev1::Pod::descriptor().kind).find(key);
      const auto& pod = entry->object.get<corev1::Pod>();
      if (pod.spec->node_name != name) continue;
      story.had_pods = true;
      if (pod.metadata->deletion_timestamp && story.first_deletion == never)
        story.first_deletion = world.now();
    }
  }
  return story;
}

TEST(NodeFailure, ACutOffNodeIsGivenUpAndItsPodsAreReplaced) {
  auto world = std::move(*World::create(scenario_of(temporary(kOutage)), 1));
  const Time start = world->now();
  const Story story = watch(*world, "n-0");
  const auto after = [&](Time t) { return (t - start).to_seconds(); };
  EXPECT_TRUE(story.had_pods);
  // 50 s after the last renewal, which is up to 10 s before 1:00, at a pass of every 5 s.
  EXPECT_GE(after(story.unknown), 100);
  EXPECT_LE(after(story.unknown), 115.2);
  EXPECT_GE(after(story.unreachable), after(story.unknown) + 4.9);
  EXPECT_LE(after(story.unreachable), after(story.unknown) + 5.3);
  // The tolerations that every pod gets are of 300 s.
  EXPECT_NEAR(after(story.first_deletion), after(story.unreachable) + 300, 0.5);
  EXPECT_NEAR(after(story.ready_again), 660, 0.1);
  EXPECT_EQ(available(*world), 12);
  EXPECT_FALSE(has_no_execute(*node_of(*world, "n-0")));
}

TEST(NodeFailure, JobsOfACutOffNodeStillComplete) {
  auto world = std::move(*World::create(scenario_of(temporary(kOutage), {{"horizon", "2h"}}), 1));
  ASSERT_TRUE(world->run().is_ok());
  for (const char* name : {"batch-0", "batch-1"}) {
    const auto& status =
        *find_stored<batchv1::Job>(*world, "default", name)->object.get<batchv1::Job>().status;
    EXPECT_EQ(status.succeeded, 3) << name;
    EXPECT_EQ(status.conditions.back().type, "Complete") << name;
  }
}

TEST(NodeFailure, AShortOutageIsNotNoticed) {
  auto world = std::move(
      *World::create(scenario_of(temporary(kOutage), {{"kubelet.outages[0].for", "30s"}}), 1));
  const Story story = watch(*world, "n-0");
  EXPECT_EQ(story.unknown, Time());
  EXPECT_EQ(story.unreachable, Time());
}

// Leases that are written, all of them, and leases that are a function of time.
TEST(NodeFailure, LazyLeasesChangeNoOutcome) {
  for (const char* at : {"60s", "63500ms", "67s", "111s"}) {
    const auto play = [&](const char* leases) {
      auto world =
          std::move(*World::create(scenario_of(temporary(kOutage), {{"kubelet.outages[0].at", at},
                                                                    {"kubelet.leases", leases}}),
                                   3));
      const Story story = watch(*world, "n-0");
      const auto result = world->run();
      EXPECT_TRUE(result.is_ok());
      return std::tuple(story, result->pods.submitted, result->pods.running, result->pods.succeeded,
                        result->pods.deleted, result->startup.max, result->scheduling.max);
    };
    EXPECT_EQ(play("lazy"), play("written")) << at;
  }
}

TEST(NodeFailure, WithLazyLeasesNothingHappensWhileNothingHappens) {
  const auto events = [](const char* horizon) {
    auto world = std::move(*World::create(
        scenario_of(temporary(kOutage), {{"horizon", horizon}, {"kubelet.outages[0].for", "30s"}}),
        1));
    EXPECT_TRUE(world->run().is_ok());
    return world->events();
  };
  // A sample of the metrics a minute is all that is left.
  EXPECT_LE(events("100h"), events("50h") + 51 * 60);
}

TEST(NodeFailure, AForkDuringAnOutageContinuesToTheSameDigest) {
  const auto scenario = scenario_of(temporary(kOutage));
  const uint64_t expected = (*World::create(scenario, 5))->run()->digest;
  for (const double seconds : {30.0, 61.0, 112.0, 114.5, 300.0, 412.0, 700.0}) {
    auto world = std::move(*World::create(scenario, 5));
    const Time start = world->now();
    while ((world->now() - start).to_seconds() < seconds && world->step()) {
    }
    const auto copy = world->fork();
    EXPECT_EQ(world->run()->digest, expected) << seconds;
    EXPECT_EQ(copy->run()->digest, expected) << seconds;
  }
}

TEST(NodeFailure, TheOutcomeDoesNotDependOnTheOrderOfTies) {
  const auto scenario = scenario_of(temporary(kOutage));
  std::vector<Time> unknown;
  for (uint64_t shuffle = 1; shuffle <= 4; ++shuffle) {
    auto world = std::move(*World::create(scenario, 1));
    world->set_tie_shuffle(shuffle);
    unknown.push_back(watch(*world, "n-0").unknown);
    const auto result = world->run();
    ASSERT_TRUE(result.is_ok());
    EXPECT_EQ(available(*world), 12) << shuffle;
    EXPECT_EQ(unknown.back(), unknown.front()) << shuffle;
  }
}

TEST(NodeFailure, AnOutageOfNoNodeIsAMistake) {
  const auto world =
      World::create(scenario_of(temporary(kOutage), {{"kubelet.outages[0].node", "n-9"}}), 1);
  ASSERT_FALSE(world.is_ok());
  EXPECT_NE(world.status().message().find("kubelet.outages: there is no node \"n-9\""),
            std::string::npos);
}

}  // namespace
}  // namespace orrery::sim
