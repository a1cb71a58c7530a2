#include "engine/api/codec_proto.h"

#include <gtest/gtest.h>

#include "engine/api/gen/metav1.h"

namespace orrery::api {
namespace {

TEST(CodecProto, VerbsAreAMessageOfTheirOwn) {
  metav1::APIResource resource;
  resource.verbs = {Str("get"), Str("list")};
  const std::string bytes = encode_proto_message(metav1::APIResource::descriptor(), &resource);
  const std::string verbs = "\x22\x0b\x0a\x03get\x0a\x04list";
  EXPECT_NE(bytes.find(verbs), std::string::npos);
  metav1::APIResource read;
  ASSERT_TRUE(decode_proto_message(bytes, metav1::APIResource::descriptor(), &read).is_ok());
  EXPECT_EQ(read.verbs, resource.verbs);
}

}  // namespace
}  // namespace orrery::api
