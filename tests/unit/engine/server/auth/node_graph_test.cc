#include "engine/server/auth/node_graph.h"

#include <gtest/gtest.h>

#include "tests/support/object_table.h"

namespace orrery::server {
namespace {

using Kind = NodeGraph::Kind;
using test::object_of;

api::Object pod(std::string_view name, std::string_view node, std::string_view metadata = "") {
  return object_of(str_cat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name,
                           R"(","namespace":"ns")", metadata, R"(},"spec":{"nodeName":")", node,
                           R"(","serviceAccountName":"sa",
      "containers":[{"name":"c","envFrom":[{"secretRef":{"name":"s"}}],"resources":{}}],
      "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"claim"}}]}})"));
}

api::Object volume(std::string_view claim) {
  return object_of(
      str_cat(R"({"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pv"},"spec":{
      "csi":{"driver":"d","volumeHandle":"h","nodePublishSecretRef":{"name":"vs","namespace":"vault"},
             "controllerPublishSecretRef":{"name":"hidden","namespace":"vault"}},
      "claimRef":{"namespace":"ns","name":")",
              claim, R"("}}})"));
}

TEST(NodeGraph, ObjectsOfAPodBelongToItsNodeOnly) {
  NodeGraph graph;
  graph.on_change({}, pod("p", "n1"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kPod, "ns", "p"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kSecret, "ns", "s"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kServiceAccount, "ns", "sa"));
  EXPECT_FALSE(graph.reaches("n2", Kind::kSecret, "ns", "s"));
  EXPECT_FALSE(graph.reaches("n1", Kind::kSecret, "other", "s"));
  EXPECT_FALSE(graph.reaches("n1", Kind::kConfigMap, "ns", "s"));
}

TEST(NodeGraph, SharedObjectsStayUntilTheLastPodGoes) {
  NodeGraph graph;
  graph.on_change({}, pod("p1", "n1"));
  graph.on_change({}, pod("p2", "n1"));
  graph.on_change(pod("p1", "n1"), {});
  EXPECT_TRUE(graph.reaches("n1", Kind::kSecret, "ns", "s"));
  graph.on_change(pod("p2", "n1"), {});
  EXPECT_FALSE(graph.reaches("n1", Kind::kSecret, "ns", "s"));
}

TEST(NodeGraph, BindingAPodOpensItsObjects) {
  NodeGraph graph;
  graph.on_change({}, pod("p", ""));
  EXPECT_FALSE(graph.reaches("", Kind::kSecret, "ns", "s"));
  graph.on_change(pod("p", ""), pod("p", "n1"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kSecret, "ns", "s"));
}

TEST(NodeGraph, VolumesAreReachedThroughTheirClaims) {
  NodeGraph graph;
  graph.on_change({}, volume("claim"));
  EXPECT_FALSE(graph.reaches("n1", Kind::kVolume, "", "pv"));
  graph.on_change({}, pod("p", "n1"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kClaim, "ns", "claim"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kVolume, "", "pv"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kSecret, "vault", "vs"));
  EXPECT_FALSE(graph.reaches("n1", Kind::kSecret, "vault", "hidden"));
  graph.on_change(volume("claim"), volume("another"));
  EXPECT_FALSE(graph.reaches("n1", Kind::kVolume, "", "pv"));
}

TEST(NodeGraph, MirrorPodsOpenNothing) {
  NodeGraph graph;
  graph.on_change({}, pod("p", "n1", R"(,"annotations":{"kubernetes.io/config.mirror":"x"})"));
  EXPECT_TRUE(graph.reaches("n1", Kind::kPod, "ns", "p"));
  EXPECT_FALSE(graph.reaches("n1", Kind::kSecret, "ns", "s"));
}

}  // namespace
}  // namespace orrery::server
