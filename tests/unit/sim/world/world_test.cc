#include "sim/world/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <thread>

#include "tests/unit/sim/world/scenario_files.h"

namespace orrery::sim {
namespace {

const char* const kSmall = R"yaml(
cluster: {nodes: [{group: {name: n, count: 5, cpu: 4, memory: 8Gi, zones: [a, b]}}]}
workloads:
  - deployments: {name: web, count: 2, replicas: 12, cpu: 500m, image: "web:v1", then: {at: 30s, image: "web:v2"}}
kubelet: {pull: "lognormal(3,0.4)", start: "uniform(1,2)", stop: 1}
horizon: 3m
)yaml";

std::string error_of(const std::string& text) { return load_scenario(temporary(text), {}).status().message(); }

TEST(Scenario, MistakesNameFileLineFieldAndWhatIsAllowed) {
  EXPECT_NE(error_of("cluster:\n  nodes:\n    - group: {cpu: -4}\n").find(":3: cluster.nodes[0].group.cpu: found -4, must be a quantity"), std::string::npos);
  EXPECT_NE(error_of("cluster: {nodes: [{group: {}}]}\nschedular: {}\n").find(":2: schedular: unknown field; did you mean scheduler?"), std::string::npos);
  EXPECT_NE(error_of("cluster: {nodes: [{group: {}}]}\nhorizon: soon\n").find(":2: horizon: found \"soon\", must be a duration"), std::string::npos);
  EXPECT_NE(error_of("cluster: {nodes: [{group: {}}]}\nhorizon: 1s\nhorizon: 2s\n").find(":3: duplicate key \"horizon\""), std::string::npos);
  EXPECT_NE(error_of("cluster: {nodes: [{trace: {path: nowhere.csv}}]}\n").find("no such file"), std::string::npos);
  EXPECT_NE(error_of("cluster: {nodes: []}\n").find("at least one source of nodes"), std::string::npos);
  EXPECT_NE(error_of("a: &x [*x]\n").find("inside its own anchor"), std::string::npos);
  EXPECT_NE(error_of("scheduler: {tieBreak: coin}\ncluster: {nodes: [{group: {}}]}\n").find("must be one of random, first, name"), std::string::npos);
  EXPECT_NE(error_of(std::string("a: \0b", 5)).find(":1:"), std::string::npos);
}

TEST(Scenario, ABillionLaughsAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) text += ", " + before;
    text += "]\n";
  }
  EXPECT_NE(error_of(text).find("expand to too many values"), std::string::npos);
}

TEST(Scenario, AProfileThatNamesAMissingPluginSaysSo) {
  const std::string message = error_of(
      "cluster: {nodes: [{group: {}}]}\nscheduler:\n  config:\n    profiles:\n      - plugins:\n          multiPoint:\n            enabled:\n"
      "              - name: InterPodAffinity\n");
  EXPECT_NE(message.find(".yaml:8: "), std::string::npos) << message;
  EXPECT_NE(message.find("\"InterPodAffinity\" is not available yet"), std::string::npos) << message;
}

TEST(Scenario, ParametersAndFieldsCanBeSet) {
  const std::string path = temporary("parameters: {n: 3}\ncluster: {nodes: [{group: {count: $n}}]}\n");
  EXPECT_EQ(scenario_of(path)->nodes[0].count, 3);
  EXPECT_EQ(scenario_of(path, {{"n", "7"}})->nodes[0].count, 7);
  EXPECT_EQ(scenario_of(path, {{"cluster.nodes[0].group.count", "9"}})->nodes[0].count, 9);
  EXPECT_EQ(scenario_of(path, {{"scheduler.tieBreak", "first"}})->tie_break, sched::TieBreak::kFirst);
  EXPECT_FALSE(load_scenario(path, {{"cluster.nodes[4].group.count", "9"}}).is_ok());
}

TEST(Scenario, TheReferenceListsEveryField) {
  const std::string text = scenario_reference();
  for (const char* field : {"cluster.nodes[].group.cpu", "workloads[].trace.inflateGpuTo", "scheduler.tieBreak", "kubelet.start", "metrics.interval"})
    EXPECT_NE(text.find(field), std::string::npos) << field;
}

TEST(World, ActionsAreDoneAndReadinessAwaitedAndAllIsInTheTimeline) {
  const std::string manifest = temporary(R"yaml(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: c, image: "app:v1", readinessProbe: {tcpSocket: {port: 80}}}]}
)yaml");
  const std::string scenario = R"yaml(
cluster: {nodes: [{group: {name: n, count: 1}}]}
actions:
  - {at: 30s, delete: {apiVersion: apps/v1, kind: Deployment, name: web}}
  - {at: 20s, patch: {apiVersion: apps/v1, kind: Deployment, name: web, type: merge, patch: {spec: {replicas: 3}}}}
kubelet: {start: 2, ready: 3}
metrics: {timeline: true}
horizon: 1m
workloads: [{manifests: )yaml" + manifest + "}]\n";
  auto world = World::create(scenario_of(temporary(scenario)), 1);
  ASSERT_TRUE(world.is_ok()) << world.status().message();
  const auto result = (*world)->run();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  std::map<std::string, std::string> first;  // time of the first line with a text
  std::istringstream lines(result->timeline);
  const auto note = [&](const std::string& line, const std::string& text) {
    if (line.find(text) != std::string::npos) first.emplace(text, line.substr(5, line.find(',') - 5));
  };
  for (std::string line; std::getline(lines, line);)
    for (const char* text : {R"("ADDED","object":{"kind":"Deployment","apiVersion":"apps/v1",)", R"("readyReplicas":2)",
                             R"("readyReplicas":3)", R"("DELETED","object":{"kind":"Pod")"})
      note(line, text);
  EXPECT_EQ(first.begin()->second, "0.000") << result->timeline;
  EXPECT_EQ(first[R"("readyReplicas":2)"], "5.000") << result->timeline;
  EXPECT_EQ(first[R"("readyReplicas":3)"], "25.000");
  EXPECT_EQ(first[R"("DELETED","object":{"kind":"Pod")"], "30.000");
}

TEST(World, ANodeThatJoinsLaterTakesWhatWaits) {
  auto world = World::create(scenario_of(temporary(R"yaml(
cluster: {nodes: [{group: {name: old, cpu: 1}}, {at: 20s, group: {name: new, cpu: 1}}]}
workloads: [{deployments: {name: web, replicas: 2, cpu: 800m}}]
horizon: 1m
)yaml")), 1);
  ASSERT_TRUE(world.is_ok()) << world.status().message();
  const auto result = (*world)->run();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->pods.running, 2);
  EXPECT_EQ(result->startup.count, 2);
  EXPECT_GE(result->scheduling.max, 20);
  EXPECT_LE(result->scheduling.max, 24) << "the second attempt since it came backs off for 2 s";
}

TEST(World, PodsLeaveANodeThatIsDrainedAsFastAsTheirBudgetAllows) {
  const std::string budget = temporary(R"yaml(
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web-0}}}
)yaml");
  auto world = World::create(scenario_of(temporary(R"yaml(
cluster: {nodes: [{group: {name: n, count: 2}}]}
actions: [{at: 20s, drain: n-0}]
horizon: 1m
workloads: [{deployments: {name: web, replicas: 6}}, {manifests: )yaml" + budget + "}]\n")), 1);
  ASSERT_TRUE(world.is_ok()) << world.status().message();
  const auto result = (*world)->run();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_TRUE(find_stored<corev1::Node>(**world, "", "n-0")->object.get<corev1::Node>().spec->unschedulable);
  EXPECT_EQ(result->pods.running, 6);
  EXPECT_EQ(result->rows.size(), 9u) << "half of them were there";
  std::vector<double> bound;
  for (const PodRow& row : result->rows)
    if (row.bound >= 20) bound.push_back(row.bound);
  ASSERT_EQ(bound.size(), 3u);
  std::sort(bound.begin(), bound.end());
  EXPECT_GE(bound[1] - bound[0], 4.9) << "refused at first, and tried again after 5 s";
}

TEST(World, ADeploymentComesUpAndRollsOut) {
  auto world = World::create(scenario_of(temporary(kSmall)), 1);
  ASSERT_TRUE(world.is_ok()) << world.status().message();
  const auto result = (*world)->run();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->pods.running, 24);
  EXPECT_GE(result->pods.submitted, 48) << "every pod was replaced";
  EXPECT_EQ(result->pods.pending, 0);
  EXPECT_GT(result->startup.p50, 1.0);
}

/// One node of 16 CPUs for manifests.
std::string scenario_with(const std::string& manifests, const std::string& more = "") {
  return temporary("cluster: {nodes: [{group: {count: 1, cpu: 16, memory: 32Gi}}]}\nworkloads:\n  - manifests: " +
                   temporary(manifests) + "\n" + more);
}

const batchv1::JobStatus& job_status(const World& world) {
  const auto* entry = find_stored<batchv1::Job>(world, "default", "work");
  CHECK(entry) << "no job";
  return *entry->object.get<batchv1::Job>().status;
}

TEST(World, AJobRunsToItsCompletions) {
  auto world = std::move(*World::create(scenario_of(scenario_with(R"(
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  parallelism: 2
  completions: 5
  completionMode: Indexed
  template:
    metadata: {annotations: {orrery.dev/run-seconds: "30"}}
    spec: {restartPolicy: Never, containers: [{name: c, image: x}]}
)", "horizon: 10m\n")), 1));
  const auto result = world->run();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->pods.submitted, 5);
  EXPECT_EQ(result->pods.succeeded, 5);
  const auto& status = job_status(*world);
  EXPECT_EQ(status.succeeded, 5);
  EXPECT_EQ(status.completed_indexes, "0-4");
  EXPECT_EQ(status.conditions.back().type, "Complete");
  ASSERT_TRUE(status.completion_time && status.start_time);
  const double seconds = (status.completion_time->time() - status.start_time->time()).to_seconds();
  EXPECT_GE(seconds, 90) << "three waves of 30 s";
  EXPECT_LE(seconds, 110);
}

// The delays between failures are 10, 20, 40 s: four pods and 70 s of waiting.
TEST(World, AJobWhosePodsFailBacksOffAndGivesUp) {
  auto world = std::move(*World::create(scenario_of(scenario_with(R"(
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  backoffLimit: 3
  template:
    metadata: {annotations: {orrery.dev/run-seconds: "1", orrery.dev/exit-code: "7"}}
    spec: {restartPolicy: Never, containers: [{name: c, image: x}]}
)", "horizon: 10m\n")), 1));
  const auto result = world->run();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->pods.failed, 4);
  const auto& status = job_status(*world);
  EXPECT_EQ(status.failed, 4);
  const auto& end = status.conditions.back();
  EXPECT_EQ(end.type, "Failed");
  EXPECT_EQ(end.reason, "BackoffLimitExceeded");
  const double seconds = (end.last_transition_time.time() - status.start_time->time()).to_seconds();
  EXPECT_GE(seconds, 70);
  EXPECT_LE(seconds, 100);
}

// A run of 1 s and a start of 1 s; delays of 0, 10, 20, 40 and 80 s: restarts at 2, 14, 36, 78, 160.
TEST(World, AContainerThatKeepsFailingIsRestartedMoreAndMoreRarely) {
  auto world = std::move(*World::create(scenario_of(scenario_with(R"yaml(
apiVersion: v1
kind: Pod
metadata: {name: loop, annotations: {orrery.dev/run-seconds: "1", orrery.dev/exit-code: "3"}}
spec: {restartPolicy: OnFailure, containers: [{name: c, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: once, annotations: {orrery.dev/run-seconds: "uniform(1,2)"}}
spec: {restartPolicy: OnFailure, containers: [{name: c, image: x}]}
)yaml", "horizon: 3m\n")), 1));
  ASSERT_TRUE(world->run().is_ok());
  const auto status = [&](const char* name) -> const corev1::PodStatus& {
    return *find_stored<corev1::Pod>(*world, "default", name)->object.get<corev1::Pod>().status;
  };
  const auto& loop = status("loop").container_statuses[0];
  EXPECT_EQ(loop.restart_count, 5);
  EXPECT_EQ(loop.state.waiting->reason, "CrashLoopBackOff");
  EXPECT_EQ(loop.last_state.terminated->exit_code, 3);
  EXPECT_EQ(status("loop").phase, "Running");
  EXPECT_EQ(status("once").phase, "Succeeded");
  EXPECT_EQ(status("once").container_statuses[0].restart_count, 0);
}

TEST(World, TheSameSeedGivesTheSameRunAndAnotherSeedAnother) {
  const auto scenario = scenario_of(temporary(kSmall));
  const auto digest = [&](uint64_t seed) { return (*World::create(scenario, seed))->run()->digest; };
  EXPECT_EQ(digest(1), digest(1));
  EXPECT_NE(digest(1), digest(2));
}

TEST(World, WorldsInTwoThreadsDoNotDisturbEachOther) {
  const auto scenario = scenario_of(temporary(kSmall));
  const uint64_t alone = (*World::create(scenario, 3))->run()->digest;
  uint64_t a = 0, b = 0;
  std::thread first([&] { a = (*World::create(scenario, 3))->run()->digest; });
  std::thread second([&] { b = (*World::create(scenario, 3))->run()->digest; });
  first.join();
  second.join();
  EXPECT_EQ(a, alone);
  EXPECT_EQ(b, alone);
}

// At many points, among them in the middle of the roll-out.
TEST(World, AForkInMidRunContinuesToTheSameDigest) {
  const auto scenario = scenario_of(temporary(kSmall));
  const uint64_t expected = (*World::create(scenario, 5))->run()->digest;
  for (int steps : {10, 500, 1500, 2500}) {
    auto world = std::move(*World::create(scenario, 5));
    for (int i = 0; i < steps && world->step(); ++i) {
    }
    const auto copy = world->fork();
    EXPECT_EQ(world->run()->digest, expected) << steps;
    EXPECT_EQ(copy->run()->digest, expected) << steps;
  }
}

TEST(World, TheOutcomeDoesNotDependOnTheOrderOfTies) {
  const auto scenario = scenario_of(temporary(kSmall));
  for (uint64_t shuffle = 1; shuffle <= 5; ++shuffle) {
    auto world = std::move(*World::create(scenario, 1));
    world->set_tie_shuffle(shuffle);
    const auto result = world->run();
    ASSERT_TRUE(result.is_ok());
    EXPECT_EQ(result->pods.running, 24) << shuffle;
  }
}

TEST(World, PodsThatDoNotFitWaitUntilThereIsRoom) {
  const std::string path = temporary(R"(
cluster: {nodes: [{group: {count: 1, cpu: 2, memory: 8Gi}}]}
workloads:
  - manifests: )" + temporary(R"(
apiVersion: v1
kind: Pod
metadata: {name: short, annotations: {orrery.dev/run-seconds: "20"}}
spec: {restartPolicy: Never, containers: [{name: c, image: x, resources: {requests: {cpu: "2"}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waits}
spec: {containers: [{name: c, image: x, resources: {requests: {cpu: "1"}}}]}
)") + "\nhorizon: 5m\n");
  const auto result = (*World::create(scenario_of(path), 1))->run();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->pods.succeeded, 1);
  EXPECT_EQ(result->pods.running, 1);
  EXPECT_GE(result->scheduling.max, 21.0);
  EXPECT_LE(result->scheduling.max, 25.0);
}

TEST(World, WithoutAHorizonARunEndsWhenNothingIsLeftToDo) {
  const std::string path = temporary(R"(
cluster: {nodes: [{group: {count: 1, cpu: 1, memory: 1Gi}}]}
workloads: [{deployments: {count: 1, replicas: 3, cpu: 600m}}]
)");
  const auto result = (*World::create(scenario_of(path), 1))->run();
  ASSERT_TRUE(result.is_ok());
  EXPECT_EQ(result->pods.running, 1);
  EXPECT_EQ(result->pods.pending, 2);
}

}  // namespace
}  // namespace orrery::sim
