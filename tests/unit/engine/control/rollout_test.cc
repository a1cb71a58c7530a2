#include <gtest/gtest.h>

#include <set>

#include "tests/unit/engine/control/rollout_world.h"

namespace orrery::control {
namespace {

using test::Client;
using test::set_image;
using test::World;

api::Object web(int replicas) {
  auto deployment = test::web_workload<appsv1::Deployment>();
  deployment.spec.mut().replicas = replicas;
  return api::Object::of(std::move(deployment));
}

TEST(Rollout, AllReplicasBecomeReadyAndTheStatusSaysSo) {
  World world;
  world.call(create_request(web(20)));
  world.run_for(30);
  const auto d = world.deployment();
  EXPECT_EQ(d.status->ready_replicas, 20);
  EXPECT_EQ(d.status->available_replicas, 20);
  EXPECT_EQ(d.status->updated_replicas, 20);
  EXPECT_EQ(world.client.ready(), 20);
}

TEST(Rollout, RollingUpdateStaysBetweenMinAvailableAndMaxSurge) {
  World world;
  world.call(create_request(web(20)));
  world.run_for(30);
  int lowest = 20;
  size_t highest = 20;
  world.client.on_pods = [&](const Client& client) {
    lowest = std::min(lowest, client.ready());
    highest = std::max(highest, client.pods.size());
  };
  world.change([](auto& spec) { set_image(spec, "app:v2"); });
  world.run_for(120);
  EXPECT_EQ(lowest, 15) << "25 % may be unavailable";
  EXPECT_EQ(highest, 25u) << "25 % may be added";
  EXPECT_EQ(world.client.ready(), 20);
  for (const auto& [name, pod] : world.client.pods)
    EXPECT_EQ(pod.get<corev1::Pod>().spec->containers[0].image, "app:v2");
}

TEST(Rollout, RecreateStartsNothingBeforeAllOldPodsAreGone) {
  World world;
  api::Object d = web(6);
  d.mut<appsv1::Deployment>().spec.mut().strategy.type = "Recreate";
  world.call(create_request(d));
  world.run_for(30);
  bool mixed = false;
  world.client.on_pods = [&](const Client& client) {
    std::set<std::string> images;
    for (const auto& [name, pod] : client.pods)
      images.insert(pod.get<corev1::Pod>().spec->containers[0].image.str());
    mixed |= images.size() > 1;
  };
  world.change([](auto& spec) { set_image(spec, "app:v2"); });
  world.run_for(60);
  EXPECT_FALSE(mixed);
  EXPECT_EQ(world.client.ready(), 6);
}

TEST(Rollout, ScalingDownLeavesExactlyTheWantedPods) {
  World world;
  world.call(create_request(web(30)));
  world.run_for(30);
  world.change([](auto& spec) { spec.replicas = 4; });
  world.run_for(30);
  EXPECT_EQ(world.client.pods.size(), 4u);
  EXPECT_EQ(world.deployment().status->replicas, 4);
}

TEST(Rollout, AFailedStoreOnlyDelaysIt) {
  World world;
  world.call(create_request(web(20)));
  for (int i = 0; i < 10; ++i) {
    world.store->fail_next(3, internal_error("disk"));
    world.run_for(2);
  }
  world.run_for(60);
  EXPECT_EQ(world.client.ready(), 20);
  EXPECT_EQ(world.deployment().status->ready_replicas, 20);
}

TEST(Rollout, DroppedWatchesLoseNothing) {
  World world;
  world.call(create_request(web(20)));
  for (int i = 0; i < 5; ++i) {
    world.store->drop_watches();
    world.run_for(2);
  }
  world.run_for(60);
  EXPECT_EQ(world.deployment().status->ready_replicas, 20);
}

TEST(Rollout, TheOrderOfSimultaneousEventsDoesNotMatter) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    World world(seed % 2 ? Duration() : Duration::millis(2));
    world.kernel.set_tie_shuffle(seed);
    world.call(create_request(web(20)));
    world.run_for(20);
    world.change([](auto& spec) { set_image(spec, "app:v2"); });
    world.run_for(120);
    EXPECT_EQ(world.client.ready(), 20) << seed;
    EXPECT_EQ(world.deployment().status->updated_replicas, 20) << seed;
  }
}

TEST(Rollout, ACopyOfTheWorldInMidRolloutEndsAlike) {
  World world;
  world.call(create_request(web(20)));
  world.run_for(2);
  for (int i = 0; i < 137; ++i) ASSERT_TRUE(world.kernel.step());

  sim::Kernel kernel = world.kernel.fork();
  const auto store = world.store->fork(&kernel, &kernel);
  kernel.rebind(store->lane(), store.get());
  const auto server = world.server->fork({&kernel, &kernel, nullptr, Rng(1)}, store.get());
  kernel.rebind(server->lane(), server.get());
  const Env env{&kernel, &kernel, server.get(), Rng(1)};
  const auto replicasets = world.replicasets->clone(env);
  const auto deployments = world.deployments->clone(env);
  const auto statefulsets = world.statefulsets->clone(env);
  const auto daemonsets = world.daemonsets->clone(env);
  const auto cronjobs = world.cronjobs->clone(env);
  kernel.rebind(replicasets->lane(), replicasets.get());
  kernel.rebind(deployments->lane(), deployments.get());
  kernel.rebind(statefulsets->lane(), statefulsets.get());
  kernel.rebind(daemonsets->lane(), daemonsets.get());
  kernel.rebind(cronjobs->lane(), cronjobs.get());
  const test::InstantKubelets kubelets(*world.kubelets, kernel, *server);
  Client client = world.client;
  client.api = server.get();
  kernel.rebind(world.client_lane, &client);

  const Time end = kernel.now() + Duration::seconds(60);
  kernel.run_until(end);
  world.kernel.run_until(end);
  EXPECT_EQ(kernel.digest(), world.kernel.digest());
  EXPECT_EQ(client.ready(), 20);
}

}  // namespace
}  // namespace orrery::control
