#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/control/daemonset/daemon_pods.h"
#include "tests/unit/engine/control/rollout_world.h"

namespace orrery::control {
namespace {

using test::Client;
using test::set_image;
using test::World;

api::Object node(const char* name, const char* disk = "ssd") {
  corev1::Node made;
  made.metadata.mut().name = name;
  made.metadata.mut().labels.set("disk", disk);
  return api::Object::of(std::move(made));
}

api::Object agent() {
  auto set = test::web_workload<appsv1::DaemonSet>();
  set.spec.mut().template_.mut().spec.mut().node_selector.set("disk", "ssd");
  return api::Object::of(std::move(set));
}

std::string placed(const World& world) {
  std::multiset<std::string> nodes;
  for (const auto& [name, pod] : world.client.pods)
    nodes.insert(target_node(pod.get<corev1::Pod>()).str());
  std::string text;
  for (const std::string& name : nodes) text += name + ' ';
  return text;
}

void taint(World& world, const char* name, const char* effect) {
  auto object = world.call(get_request(kind_of<corev1::Node>(), "", name)).object;
  corev1::Taint taint;
  taint.key = "dedicated";
  taint.effect = effect;
  object.mut<corev1::Node>().spec.mut().taints.push_back(taint);
  world.call(update_request(std::move(object)));
}

TEST(DaemonSet, EachNodeThatFitsHasOnePod) {
  World world;
  for (const char* name : {"a", "b"}) world.call(create_request(node(name)));
  world.call(create_request(node("c", "hdd")));
  world.call(create_request(agent()));
  EXPECT_EQ(placed(world), "a b ");
  world.call(create_request(node("d")));
  EXPECT_EQ(placed(world), "a b d ");
  world.run_for(20);
  const auto status = *world.get<appsv1::DaemonSet>().status;
  EXPECT_EQ(status.desired_number_scheduled, 3);
  EXPECT_EQ(status.number_available, 3);
  EXPECT_EQ(status.number_misscheduled, 0);
}

TEST(DaemonSet, ATaintKeepsNewPodsAwayAndOnlyNoExecuteRemovesOldOnes) {
  World world;
  for (const char* name : {"a", "b"}) world.call(create_request(node(name)));
  world.call(create_request(agent()));
  taint(world, "a", "NoSchedule");
  EXPECT_EQ(placed(world), "a b ");
  EXPECT_EQ(world.get<appsv1::DaemonSet>().status->number_misscheduled, 1);
  taint(world, "b", "NoExecute");
  EXPECT_EQ(placed(world), "a ");
}

TEST(DaemonSet, ARollingUpdateReplacesOnePodAtATimeAndCountsItsRevisions) {
  World world;
  for (const char* name : {"a", "b", "c", "d"}) world.call(create_request(node(name)));
  world.call(create_request(agent()));
  world.run_for(20);
  int lowest = 4;
  world.client.on_pods = [&](const Client& client) { lowest = std::min(lowest, client.ready()); };
  world.change<appsv1::DaemonSet>([](auto& spec) { set_image(spec, "app:v2"); });
  world.run_for(60);
  EXPECT_EQ(lowest, 3);
  EXPECT_EQ(placed(world), "a b c d ");
  for (const auto& [name, pod] : world.client.pods)
    EXPECT_EQ(pod.get<corev1::Pod>().spec->containers[0].image, "app:v2");
  ApiRequest list;
  list.verb = ApiVerb::kList;
  list.kind = &kind_of<appsv1::ControllerRevision>();
  list.ns = "default";
  EXPECT_EQ(world.call(std::move(list)).items.size(), 2u);
}

// Conformance of Kubernetes v1.32 test/e2e/apps/controller_revision.go counts on it.
TEST(DaemonSet, ARevisionThatSomebodyMakesForItStaysUntilTheNextSync) {
  World world;
  world.call(create_request(node("a")));
  world.call(create_request(agent()));
  world.run_for(20);
  const auto revisions = [&] {
    world.run_for(20);
    return world.call(list_request(kind_of<appsv1::ControllerRevision>(), "default")).items;
  };
  ASSERT_EQ(revisions().size(), 1u);
  const api::Object first = revisions()[0];
  auto copy = first.get<appsv1::ControllerRevision>();
  metav1::ObjectMeta meta;
  meta.name = "copy";
  meta.namespace_ = "default";
  meta.labels = first.meta().labels;
  meta.owner_references = first.meta().owner_references;
  copy.metadata.mut() = meta;
  copy.revision = 2;
  world.call(create_request(api::Object::of(copy)));
  EXPECT_EQ(revisions().size(), 2u);
  world.call(delete_request(*first.kind(), "default", first.meta().name));
  ASSERT_EQ(revisions().size(), 1u);
  EXPECT_EQ(revisions()[0].meta().name, "copy");
}

TEST(DaemonSet, WithSurgeTheOldPodStaysUntilTheNewOneIsThere) {
  World world;
  for (const char* name : {"a", "b", "c"}) world.call(create_request(node(name)));
  world.call(create_request(agent()));
  world.run_for(20);
  int lowest = 3;
  size_t most = 0;
  world.client.on_pods = [&](const Client& client) {
    lowest = std::min(lowest, client.ready());
    most = std::max(most, client.pods.size());
  };
  world.change<appsv1::DaemonSet>([](auto& spec) {
    set_image(spec, "app:v2");
    spec.update_strategy.type = "RollingUpdate";
    auto& limits = spec.update_strategy.rolling_update.mut();
    limits.max_surge = api::IntOrString(1);
    limits.max_unavailable = api::IntOrString(0);
  });
  world.run_for(60);
  EXPECT_EQ(lowest, 3);
  EXPECT_EQ(most, 4u);
  EXPECT_EQ(world.get<appsv1::DaemonSet>().status->updated_number_scheduled, 3);
}

}  // namespace
}  // namespace orrery::control
