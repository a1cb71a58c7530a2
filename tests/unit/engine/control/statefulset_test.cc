#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/engine/control/rollout_world.h"

namespace orrery::control {
namespace {

using test::Client;
using test::set_image;
using test::World;

api::Object web(int replicas, const char* policy = "OrderedReady") {
  auto set = test::web_workload<appsv1::StatefulSet>();
  set.spec.mut().replicas = replicas;
  set.spec.mut().service_name = "web";
  set.spec.mut().pod_management_policy = policy;
  return api::Object::of(std::move(set));
}

void set_partition(appsv1::StatefulSetSpec& spec, int partition) {
  spec.update_strategy.type = "RollingUpdate";
  spec.update_strategy.rolling_update.mut().partition = partition;
}

std::string images(const World& world) {
  std::string text;
  for (const auto& [name, pod] : world.client.pods)
    text += str_cat(name, '=', pod.get<corev1::Pod>().spec->containers[0].image, ' ');
  return text;
}

TEST(StatefulSet, PodsStartInOrderEachWhenTheOneBeforeIsReady) {
  World world;
  int most_unready = 0;
  world.client.on_pods = [&](const Client& client) {
    most_unready = std::max(most_unready, static_cast<int>(client.pods.size()) - client.ready());
  };
  world.call(create_request(web(5)));
  world.run_for(60);
  EXPECT_EQ(most_unready, 1);
  EXPECT_EQ(images(world), "web-0=app:v1 web-1=app:v1 web-2=app:v1 web-3=app:v1 web-4=app:v1 ");
  const auto set = world.get<appsv1::StatefulSet>();
  EXPECT_EQ(set.status->ready_replicas, 5);
  EXPECT_EQ(set.status->current_replicas, 5);
  EXPECT_EQ(set.status->current_revision, set.status->update_revision);
}

TEST(StatefulSet, ParallelPodsStartTogetherAndGoTogether) {
  World world;
  world.call(create_request(web(20, "Parallel")));
  world.run_for(1);
  EXPECT_EQ(world.client.pods.size(), 20u);
  world.run_for(30);
  EXPECT_EQ(world.get<appsv1::StatefulSet>().status->available_replicas, 20);
  world.change<appsv1::StatefulSet>([](auto& spec) { spec.replicas = 3; });
  world.run_for(1);
  EXPECT_EQ(images(world), "web-0=app:v1 web-1=app:v1 web-2=app:v1 ");
}

TEST(StatefulSet, AnUpdateGoesFromTheHighestOrdinalDownToThePartition) {
  World world;
  world.call(create_request(web(4)));
  world.run_for(60);
  int lowest = 4;
  world.client.on_pods = [&](const Client& client) { lowest = std::min(lowest, client.ready()); };
  world.change<appsv1::StatefulSet>([](auto& spec) {
    set_image(spec, "app:v2");
    set_partition(spec, 2);
  });
  world.run_for(60);
  EXPECT_EQ(images(world), "web-0=app:v1 web-1=app:v1 web-2=app:v2 web-3=app:v2 ");
  EXPECT_EQ(lowest, 3) << "one at a time";
  EXPECT_EQ(world.get<appsv1::StatefulSet>().status->updated_replicas, 2);

  world.call(delete_request(kind_of<corev1::Pod>(), "default", "web-1"));
  world.run_for(20);
  EXPECT_EQ(images(world), "web-0=app:v1 web-1=app:v1 web-2=app:v2 web-3=app:v2 ")
      << "below the partition a pod comes back as it was";

  world.change<appsv1::StatefulSet>([](auto& spec) { set_partition(spec, 0); });
  world.run_for(60);
  EXPECT_EQ(images(world), "web-0=app:v2 web-1=app:v2 web-2=app:v2 web-3=app:v2 ");
  const auto set = world.get<appsv1::StatefulSet>();
  EXPECT_EQ(set.status->current_revision, set.status->update_revision);
}

TEST(StatefulSet, GoingBackUsesTheRevisionThatIsThereAlready) {
  World world;
  world.call(create_request(web(2)));
  world.run_for(30);
  const Str first = world.get<appsv1::StatefulSet>().status->current_revision;
  for (const char* image : {"app:v2", "app:v1"}) {
    world.change<appsv1::StatefulSet>([&](auto& spec) { set_image(spec, image); });
    world.run_for(40);
  }
  EXPECT_EQ(world.get<appsv1::StatefulSet>().status->current_revision, first);
  const auto revision =
      world.call(get_request(kind_of<appsv1::ControllerRevision>(), "default", first)).object;
  EXPECT_EQ(revision.get<appsv1::ControllerRevision>().revision, 3);
}

TEST(StatefulSet, ClaimsAreMadeBeforePodsAndOwnedAsThePolicySays) {
  World world;
  api::Object object = web(3);
  auto& spec = object.mut<appsv1::StatefulSet>().spec.mut();
  corev1::PersistentVolumeClaim claim;
  claim.metadata.mut().name = "data";
  claim.spec.mut().access_modes.push_back("ReadWriteOnce");
  claim.spec.mut().resources.requests.set("storage", *api::Quantity::parse("1Gi"));
  spec.volume_claim_templates.push_back(claim);
  auto& policy = spec.persistent_volume_claim_retention_policy.mut();
  policy.when_deleted = "Retain";
  policy.when_scaled = "Delete";
  world.call(create_request(object));
  world.run_for(40);
  const auto owners = [&](const char* name) {
    std::string kinds;
    const auto found =
        world.call(get_request(kind_of<corev1::PersistentVolumeClaim>(), "default", name)).object;
    for (const auto& ref : found.meta().owner_references) kinds += str_cat(ref.kind, ' ', ref.name);
    return kinds;
  };
  EXPECT_EQ(world.client.ready(), 3);
  EXPECT_EQ(owners("data-web-2"), "");
  const auto& pod = world.client.pods["web-2"].get<corev1::Pod>();
  ASSERT_EQ(pod.spec->volumes.size(), 1u);
  EXPECT_EQ(pod.spec->volumes[0].persistent_volume_claim->claim_name, "data-web-2");

  world.change<appsv1::StatefulSet>([](auto& spec) { spec.replicas = 2; });
  world.run_for(10);
  EXPECT_EQ(world.client.pods.size(), 2u);
  EXPECT_EQ(owners("data-web-2"), "Pod web-2") << "goes with the pod";
  EXPECT_EQ(owners("data-web-1"), "");
}

TEST(StatefulSet, AFailedStoreOnlyDelaysIt) {
  World world;
  world.call(create_request(web(4)));
  for (int i = 0; i < 10; ++i) {
    world.store->fail_next(3, internal_error("disk"));
    world.run_for(2);
  }
  world.run_for(60);
  EXPECT_EQ(world.get<appsv1::StatefulSet>().status->ready_replicas, 4);
}

TEST(StatefulSet, DroppedWatchesLoseNothing) {
  World world;
  world.call(create_request(web(6)));
  for (int i = 0; i < 5; ++i) {
    world.store->drop_watches();
    world.run_for(2);
  }
  world.run_for(60);
  EXPECT_EQ(world.get<appsv1::StatefulSet>().status->ready_replicas, 6);
}

}  // namespace
}  // namespace orrery::control
