#include "engine/api/storage.h"

#include <gtest/gtest.h>

#include "engine/api/codec_json.h"

namespace orrery::api {
namespace {

Object parse(const char* json) { return decode_json(json).value(); }

TEST(Storage, BuiltInKindsAreProtobufWithoutTheirResourceVersion) {
  const Object config = parse(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","resourceVersion":"7"},"data":{"a":"b"}})");
  const std::string bytes = encode_storage(config);
  // The envelope as a kube-apiserver v1.32 writes it.
  constexpr std::string_view kEnvelope(
      "k8s\0\x0a\x0f\x0a\x02v1\x12\x09"
      "ConfigMap\x12",
      22);
  EXPECT_EQ(bytes.substr(0, kEnvelope.size()), kEnvelope);
  const Object back = decode_storage(bytes).value();
  EXPECT_EQ(back.meta().resource_version, "");
  EXPECT_EQ(back.meta().name, "c");
  EXPECT_EQ(config.meta().resource_version, "7");
}

TEST(Storage, KindsThatExtendTheApiAreJson) {
  const Object service = parse(
      R"({"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1.apps"}})");
  const std::string bytes = encode_storage(service);
  EXPECT_EQ(bytes.front(), '{');
  EXPECT_TRUE(bytes.ends_with("}\n"));
  EXPECT_EQ(decode_storage(bytes).value().meta().name, "v1.apps");
}

TEST(Storage, OtherValuesAreRefused) {
  EXPECT_FALSE(decode_storage("k8s:enc:aescbc:v1:key1:xyz").is_ok());
  EXPECT_FALSE(decode_storage("").is_ok());
  EXPECT_FALSE(decode_storage(R"({"apiVersion":"example.com/v1","kind":"Thing"})").is_ok());
}

}  // namespace
}  // namespace orrery::api
