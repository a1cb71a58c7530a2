// What goes when something is deleted: the garbage collector, the namespace controller and the
// disruption controller beside a real server.
#include <gtest/gtest.h>

#include "engine/api/gen/policyv1.h"
#include "engine/control/disruption/disruption_controller.h"
#include "engine/control/garbage_collector/garbage_collector.h"
#include "engine/control/namespace/namespace_controller.h"
#include "tests/unit/engine/control/server_world.h"

namespace orrery::control {
namespace {

using corev1::ConfigMap;

class DeletionTest : public ServerWorld, public testing::Test {
 protected:
  void start_collector() { start<GarbageCollector>(GarbageCollectorOptions()); }

  static ConfigMap map(const char* name, const std::vector<metav1::OwnerReference>& owners = {},
                       const char* ns = "default") {
    ConfigMap out;
    out.metadata.mut().name = name;
    out.metadata.mut().namespace_ = ns;
    for (const auto& owner : owners) out.metadata.mut().owner_references.push_back(owner);
    return out;
  }
  static metav1::OwnerReference by(const ConfigMap& owner, bool blocks = false) {
    metav1::OwnerReference reference;
    reference.api_version = "v1";
    reference.kind = "ConfigMap";
    reference.name = owner.metadata->name;
    reference.uid = owner.metadata->uid;
    if (blocks) reference.block_owner_deletion = true;
    return reference;
  }
  void remove(const char* name, const char* policy = "Background") {
    ApiDeleteOptions options;
    options.propagation_policy = policy;
    const auto gone = call(delete_request(kind_of<ConfigMap>(), "default", name, options));
    ASSERT_TRUE(gone.status.is_ok()) << gone.status.message();
  }
  api::Object find(const char* name, const char* ns = "default") {
    return server_.find(kind_of<ConfigMap>(), ns, name);
  }
  void drop_finalizers(const char* name) {
    api::Object object = find(name);
    object.mut_meta().finalizers = {};
    ASSERT_TRUE(call(update_request(object)).status.is_ok());
  }
  corev1::Namespace ns(const char* name) {
    return server_.find(kind_of<corev1::Namespace>(), "", name).get<corev1::Namespace>();
  }
};

TEST_F(DeletionTest, DependentsOfDependentsGoWithTheirOwner) {
  start_collector();
  const auto owner = create(map("owner"));
  const auto middle = create(map("middle", {by(owner)}));
  create(map("leaf", {by(middle)}));
  run_for(5);
  EXPECT_TRUE(find("leaf"));
  remove("owner");
  run_for(5);
  EXPECT_FALSE(find("middle"));
  EXPECT_FALSE(find("leaf"));
}

TEST_F(DeletionTest, ADependentWithAnotherOwnerForgetsTheOneThatHasGone) {
  start_collector();
  const auto one = create(map("one")), other = create(map("other"));
  create(map("shared", {by(one), by(other)}));
  remove("one");
  run_for(5);
  ASSERT_TRUE(find("shared"));
  ASSERT_EQ(find("shared").meta().owner_references.size(), 1u);
  EXPECT_EQ(find("shared").meta().owner_references[0].name, "other");
}

TEST_F(DeletionTest, ForegroundDeletionEndsWithTheLastBlockingDependent) {
  start_collector();
  const auto owner = create(map("owner"));
  auto held = map("held", {by(owner, true)});
  held.metadata.mut().finalizers.push_back("example.com/hold");
  create(held);
  create(map("free", {by(owner, true)}));
  remove("owner", "Foreground");
  run_for(5);
  EXPECT_FALSE(find("free"));
  ASSERT_TRUE(find("held"));
  EXPECT_TRUE(find("held").meta().deletion_timestamp);
  ASSERT_TRUE(find("owner"));
  drop_finalizers("held");
  run_for(5);
  EXPECT_FALSE(find("held"));
  EXPECT_FALSE(find("owner"));
}

TEST_F(DeletionTest, OrphansStayWithoutTheReferenceToTheirOwner) {
  start_collector();
  const auto owner = create(map("owner"));
  create(map("a", {by(owner)}));
  create(map("b", {by(owner)}));
  remove("owner", "Orphan");
  run_for(5);
  EXPECT_FALSE(find("owner"));
  for (const char* name : {"a", "b"}) {
    ASSERT_TRUE(find(name)) << name;
    EXPECT_TRUE(find(name).meta().owner_references.empty()) << name;
  }
}

TEST_F(DeletionTest, AnOwnerThatNeverWasTakesItsDependentAlong) {
  start_collector();
  ConfigMap nobody = map("nobody");
  nobody.metadata.mut().uid = "11111111-2222-3333-4444-555555555555";
  create(map("orphan", {by(nobody)}));
  auto unknown = by(nobody);
  unknown.kind = "Thing";
  unknown.uid = "11111111-2222-3333-4444-666666666666";
  create(map("kept", {unknown}));
  run_for(5);
  EXPECT_FALSE(find("orphan"));
  EXPECT_TRUE(find("kept")) << "its owner may be of a kind that will be defined";
}

TEST_F(DeletionTest, AnOwnerInAnotherNamespaceIsNoOwnerAndAnEventSaysSo) {
  start_collector();
  const auto owner = create(map("owner", {}, "elsewhere"));
  create(map("kept", {by(owner)}, "elsewhere"));
  create(map("stray", {by(owner)}));
  run_for(5);
  EXPECT_FALSE(find("stray"));
  EXPECT_TRUE(find("kept", "elsewhere"));
  const auto events = server_.list(kind_of<corev1::Event>(), "default");
  ASSERT_EQ(events.size(), 1u);
  const auto& event = events[0].get<corev1::Event>();
  EXPECT_EQ(event.reason, "OwnerRefInvalidNamespace");
  EXPECT_EQ(event.message.str(), str_cat("ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: ",
                                   owner.metadata->uid, "] does not exist in namespace \"default\""));
}

TEST_F(DeletionTest, TwoThatOwnEachOtherInForegroundDeletionBothGo) {
  start_collector();
  const auto first = create(map("first"));
  const auto second = create(map("second", {by(first, true)}));
  api::Object tied = find("first");
  tied.mut_meta().owner_references.push_back(by(second, true));
  ASSERT_TRUE(call(update_request(tied)).status.is_ok());
  remove("first", "Foreground");
  run_for(30);
  EXPECT_FALSE(find("first"));
  EXPECT_FALSE(find("second"));
}

TEST_F(DeletionTest, ACollectorThatWakesLateKnowsWhatWasThereBefore) {
  GarbageCollectorOptions options;
  options.lazy_watches = true;
  run_for(1);
  const uint64_t before = kernel_.events_executed();
  const auto& collector = start<GarbageCollector>(options);
  const auto owner = create(map("owner"));
  create(map("dependent", {by(owner)}));
  run_for(60);
  EXPECT_EQ(collector.graph().size(), 0u);
  EXPECT_EQ(kernel_.events_executed() - before, 8u) << "four for each of the two creates";
  remove("owner");
  run_for(5);
  EXPECT_FALSE(find("dependent"));
}

TEST_F(DeletionTest, ANamespaceTakesItsContentAlong) {
  start<NamespaceController>(NamespaceOptions());
  corev1::Namespace fresh;
  fresh.metadata.mut().name = "team";
  create(fresh);
  create(map("a", {}, "team"));
  create(map("b", {}, "default"));
  ASSERT_TRUE(call(delete_request(kind_of<corev1::Namespace>(), {}, "team")).status.is_ok());
  run_for(4);
  EXPECT_TRUE(find("a", "team"));
  run_for(4);
  EXPECT_FALSE(find("a", "team"));
  EXPECT_FALSE(server_.find(kind_of<corev1::Namespace>(), "", "team"));
  EXPECT_TRUE(find("b"));
}

TEST_F(DeletionTest, ANamespaceSaysWhatKeepsItFromGoing) {
  start<NamespaceController>(NamespaceOptions());
  corev1::Namespace fresh;
  fresh.metadata.mut().name = "default";
  create(fresh);
  auto held = map("held");
  held.metadata.mut().finalizers.push_back("example.com/hold");
  create(held);
  ASSERT_TRUE(call(delete_request(kind_of<corev1::Namespace>(), {}, "default")).status.is_ok());
  run_for(8);
  std::string text;
  for (const auto& condition : ns("default").status->conditions)
    text += str_cat(condition.type, '=', condition.status, ' ', condition.message, '\n');
  EXPECT_EQ(text,
            "NamespaceDeletionDiscoveryFailure=False All resources successfully discovered\n"
            "NamespaceDeletionGroupVersionParsingFailure=False All legacy kube types successfully "
            "parsed\n"
            "NamespaceDeletionContentFailure=False All content successfully deleted, may be waiting "
            "on finalization\n"
            "NamespaceContentRemaining=True Some resources are remaining: configmaps. has 1 resource "
            "instances\n"
            "NamespaceFinalizersRemaining=True Some content in the namespace has finalizers "
            "remaining: example.com/hold in 1 resource instances\n");
  drop_finalizers("held");
  run_for(15);
  EXPECT_FALSE(server_.find(kind_of<corev1::Namespace>(), "", "default"));
}

TEST_F(DeletionTest, ABudgetFollowsThePodsThatItSelects) {
  start<DisruptionController>(DisruptionOptions());
  policyv1::PodDisruptionBudget budget;
  budget.metadata.mut().name = "b";
  budget.metadata.mut().namespace_ = "default";
  budget.spec.mut().min_available = api::IntOrString(1);
  budget.spec.mut().selector.mut().match_labels.set("app", "a");
  create(budget);
  run_for(1);
  const auto status = [&] {
    return *server_.find(kind_of<policyv1::PodDisruptionBudget>(), "default", "b")
                .get<policyv1::PodDisruptionBudget>()
                .status;
  };
  EXPECT_EQ(status().expected_pods, 0);
  ASSERT_EQ(status().conditions.size(), 1u);
  EXPECT_EQ(status().conditions[0].reason, "InsufficientPods");
  for (const char* name : {"p1", "p2"}) {
    corev1::Pod pod;
    pod.metadata.mut().name = name;
    pod.metadata.mut().namespace_ = "default";
    pod.metadata.mut().labels.set("app", "a");
    corev1::Container container;
    container.name = "main";
    container.image = "app:v1";
    pod.spec.mut().containers.push_back(container);
    pod = create(pod);
    corev1::PodCondition ready;
    ready.type = "Ready";
    ready.status = "True";
    pod.status.mut().conditions.push_back(ready);
    ASSERT_TRUE(call(update_request(api::Object::of(pod), "status")).status.is_ok());
  }
  run_for(1);
  EXPECT_EQ(status().current_healthy, 2);
  EXPECT_EQ(status().disruptions_allowed, 1);
  EXPECT_EQ(status().conditions[0].reason, "SufficientPods");
}

}  // namespace
}  // namespace orrery::control
