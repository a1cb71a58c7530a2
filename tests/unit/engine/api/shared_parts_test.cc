#include "engine/api/shared_parts.h"

#include <gtest/gtest.h>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"

namespace orrery::api {
namespace {

Object pod(const char* name, const char* node, const char* image = "registry.example.com/app:v1") {
  const std::string text = str_cat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name,
                                   R"(","labels":{"app":"web","tier":"front"}},"spec":{"nodeName":")", node,
                                   R"(","containers":[{"name":"main","image":")", image,
                                   R"(","args":["--listen=:80"],"resources":{"limits":{"cpu":"1"}}}]}})");
  auto object = decode_json(text);
  CHECK(object.is_ok()) << object.status().message();
  return std::move(*object);
}

std::string json(const Object& object, const SharedParts* parts) {
  JsonEncoder encoder(parts);
  encoder.object(object);
  return std::string(encoder.view());
}

const corev1::PodSpec& spec(const Object& object) { return *object.get<corev1::Pod>().spec; }

TEST(SharedParts, EqualPartsBecomeOneFromTheSecondOn) {
  SharedParts parts;
  Object first = pod("a", "n1"), second = pod("b", "n2"), third = pod("c", "n3");
  for (Object* object : {&first, &second, &third}) parts.share(*object);
  EXPECT_NE(spec(first).containers.data(), spec(second).containers.data());  // seen once: not kept
  EXPECT_EQ(spec(second).containers.data(), spec(third).containers.data());
  EXPECT_TRUE(second.meta().labels.same(third.meta().labels));
  EXPECT_EQ(spec(third).node_name, "n3");
}

TEST(SharedParts, PartsOfPartsAreSharedWhereTheWholeDiffers) {
  SharedParts parts;
  Object objects[] = {pod("a", "n", "x:1"), pod("b", "n", "x:2"), pod("c", "n", "x:3")};
  for (Object& object : objects) parts.share(object);
  EXPECT_NE(spec(objects[1]).containers.data(), spec(objects[2]).containers.data());
  EXPECT_EQ(spec(objects[1]).containers[0].args.data(), spec(objects[2]).containers[0].args.data());
}

TEST(SharedParts, WritesTheSameJsonWithAndWithout) {
  SharedParts parts;
  for (int i = 0; i < 5; ++i) {
    Object object = pod(str_cat("p", i).c_str(), "n1", i % 2 ? "x:1" : "x:2");
    const std::string before = encode_json(object);
    parts.share(object);
    EXPECT_EQ(encode_json(object), before);
    EXPECT_EQ(json(object, &parts), before);
  }
  EXPECT_GT(parts.size(), 0u);
}

TEST(SharedParts, AChangeOfOneLeavesTheOthers) {
  SharedParts parts;
  Object objects[] = {pod("a", "n1"), pod("b", "n2"), pod("c", "n3")};
  for (Object& object : objects) parts.share(object);
  auto& changed = objects[2].mut<corev1::Pod>().spec.mut().containers.mut(0);
  changed.image = "other";
  EXPECT_EQ(spec(objects[1]).containers[0].image, "registry.example.com/app:v1");
  EXPECT_NE(json(objects[2], &parts).find("other"), std::string::npos);
  EXPECT_EQ(json(objects[1], &parts).find("other"), std::string::npos);
}

TEST(SharedParts, WhatNobodyHasAnyMoreGoes) {
  SharedParts parts;
  size_t most = 0;
  for (int i = 0; i < 40'000; ++i) {
    Object object = pod("a", "n", str_cat("image:", i / 2).c_str());
    parts.share(object);
    most = std::max(most, parts.size());
  }
  EXPECT_LT(most, 10'000u);
}

TEST(SharedParts, ACopyIsEmpty) {
  SharedParts parts;
  Object objects[] = {pod("a", "n1"), pod("b", "n2")};
  for (Object& object : objects) parts.share(object);
  const SharedParts copy = parts;
  EXPECT_GT(parts.size(), 0u);
  EXPECT_EQ(copy.size(), 0u);
}

}  // namespace
}  // namespace orrery::api
