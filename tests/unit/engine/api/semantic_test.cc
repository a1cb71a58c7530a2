#include "engine/api/semantic.h"

#include <gtest/gtest.h>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"

namespace orrery::api {
namespace {

Object pod(const std::string& spec) {
  return decode_json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":)" + spec + "}").value();
}

TEST(Semantic, NilAndEmptyListsAreEqualAbsentAndEmptyStructsAreNot) {
  EXPECT_TRUE(semantic_equal(pod(R"({"containers":[]})"), pod("{}")));
  EXPECT_FALSE(semantic_equal(pod(R"({"securityContext":{}})"), pod("{}")));
}

TEST(Semantic, QuantitiesCompareByValueAndHashAlike) {
  const auto with = [](const char* cpu) {
    return pod(str_cat(R"({"containers":[{"name":"c","resources":{"requests":{"cpu":")", cpu, "\"}}}]}"));
  };
  EXPECT_TRUE(semantic_equal(with("1500m"), with("1.5")));
  EXPECT_EQ(semantic_hash(with("1500m")), semantic_hash(with("1.5")));
  EXPECT_FALSE(semantic_equal(with("1500m"), with("1501m")));
  EXPECT_NE(semantic_hash(with("1500m")), semantic_hash(with("1501m")));
}

TEST(Semantic, DiffNamesEachPathWithBothValues) {
  const auto found = diff(pod(R"({"nodeName":"a","containers":[{"name":"c","image":"x:1"}]})"),
                          pod(R"({"containers":[{"name":"c","image":"x:2"}],"priority":3})"));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].path, "spec.containers[0].image");
  EXPECT_EQ(found[0].before, "\"x:1\"");
  EXPECT_EQ(found[0].after, "\"x:2\"");
  EXPECT_EQ(found[1].path, "spec.nodeName");
  EXPECT_EQ(found[1].before, "\"a\"");
  EXPECT_EQ(found[1].after, "");
  EXPECT_EQ(found[2].path, "spec.priority");
  EXPECT_EQ(found[2].after, "3");
}

TEST(Semantic, DiffOfEqualObjectsIsEmpty) { EXPECT_TRUE(diff(pod("{}"), pod("{}")).empty()); }

}  // namespace
}  // namespace orrery::api
