#include "engine/runtime/informer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/api/gen/corev1.h"

namespace orrery {
namespace {

api::Object pod(std::string_view name, std::string_view node, std::string_view version) {
  corev1::Pod pod;
  auto& meta = pod.metadata.mut();
  meta.namespace_ = "default";
  meta.name = name;
  meta.resource_version = version;
  pod.spec.mut().node_name = node;
  return api::Object::of(std::move(pod));
}

std::vector<std::string> names_on(const Informer& informer, std::string_view node) {
  std::vector<std::string> names;
  informer.for_each_in(0, node,
                       [&](const api::Object& o) { names.push_back(o.meta().name.str()); });
  std::sort(names.begin(), names.end());
  return names;
}

struct Fixture : testing::Test {
  Informer informer{WatchSpec{corev1::Pod::descriptor().kind, {}, {}, {}}, {index_by_node}};
  std::vector<Change> changes;
  void apply(WatchEventType type, const api::Object& object) {
    informer.apply({type, object, Status()}, changes);
  }
};
using InformerTest = Fixture;

TEST_F(InformerTest, FindsObjectsByNameAndByIndex) {
  apply(WatchEventType::kAdded, pod("a", "n1", "1"));
  apply(WatchEventType::kAdded, pod("b", "n1", "2"));
  apply(WatchEventType::kAdded, pod("c", "", "3"));
  EXPECT_EQ(informer.find("default/b")->meta().name, "b");
  EXPECT_EQ(informer.find("default/z"), nullptr);
  EXPECT_EQ(names_on(informer, "n1"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(informer.count_in(0, "n2"), 0u);
  apply(WatchEventType::kModified, pod("b", "n2", "4"));
  EXPECT_EQ(names_on(informer, "n1"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(names_on(informer, "n2"), (std::vector<std::string>{"b"}));
}

TEST_F(InformerTest, ReportsEachChangeWithTheStateBeforeAndAfter) {
  apply(WatchEventType::kAdded, pod("a", "", "1"));
  apply(WatchEventType::kModified, pod("a", "n1", "2"));
  apply(WatchEventType::kDeleted, pod("a", "n1", "3"));
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_FALSE(changes[0].before);
  EXPECT_EQ(changes[1].before.meta().resource_version, "1");
  EXPECT_EQ(changes[2].before.meta().resource_version, "2");
  EXPECT_EQ(changes[2].last.meta().resource_version, "3");
  EXPECT_FALSE(changes[2].after);
  EXPECT_EQ(informer.size(), 0u);
  EXPECT_EQ(informer.count_in(0, "n1"), 0u);
}

TEST_F(InformerTest, ManyMovesKeepTheIndexExact) {
  RngStream rng(3, "moves");
  std::vector<int> node_of(50, -1);
  for (int step = 0; step < 5000; ++step) {
    const auto i = rng.below(50);
    const int node = static_cast<int>(rng.below(6)) - 1;
    const std::string name = str_cat("p", i);
    if (node < 0) {
      apply(WatchEventType::kDeleted, pod(name, "", "x"));
    } else {
      apply(WatchEventType::kModified, pod(name, str_cat("n", node), str_cat(step)));
    }
    node_of[i] = node;
  }
  for (int node = 0; node < 5; ++node) {
    EXPECT_EQ(static_cast<ptrdiff_t>(informer.count_in(0, str_cat("n", node))),
              std::count(node_of.begin(), node_of.end(), node));
  }
}

}  // namespace
}  // namespace orrery
