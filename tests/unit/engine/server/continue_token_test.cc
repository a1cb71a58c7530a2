#include "engine/server/continue_token.h"

#include <gtest/gtest.h>

#include "engine/runtime/json_web_token.h"

namespace orrery::server {
namespace {

// The token of a JSON text: the first key of the page, or what is wrong with it.
std::string key_of(std::string_view json) {
  const auto token = ContinueToken::decode(base64url_encode(json));
  return token.is_ok() ? token->key("/p/") : token.status().message();
}

TEST(ContinueToken, NamesTheKeyAfterTheLastWithoutThePrefixOfTheList) {
  const ContinueToken token = ContinueToken::following("/registry/configmaps/default/b", "/registry/configmaps/default/", 7);
  EXPECT_EQ(base64url_decode(token.encode()), R"({"v":"meta.k8s.io/v1","rv":7,"start":"b\u0000"})");
  const auto read = ContinueToken::decode(token.encode());
  ASSERT_TRUE(read.is_ok());
  EXPECT_EQ(read->revision, 7);
  EXPECT_EQ(read->key("/p/"), std::string("/p/b\0", 5));
}

TEST(ContinueToken, MayBeginAtAnyKeyBelowThePrefixButNotElsewhere) {
  const auto start = [](std::string_view key) { return key_of(str_cat(R"({"v":"meta.k8s.io/v1","rv":7,"start":")", key, R"("})")); };
  EXPECT_EQ(start("b"), "/p/b");
  EXPECT_EQ(start("/n/b"), "/p/n/b");
  for (const char* key : {"../x", "a/../b", "a//b", "a/.", "a/"})
    EXPECT_EQ(start(key), str_cat("invalid continue token: continue key is not valid: ", key));
}

TEST(ContinueToken, IsReadAsGoReadsIt) {
  const std::string context = "invalid continue token: continue key is not valid: ";
  EXPECT_EQ(key_of(R"({"V":"meta.k8s.io/v1","rv":null,"RV":7,"start":"a","START":"b","x":1})"), "/p/b");
  EXPECT_EQ(key_of("[]"), context + "json: cannot unmarshal array into Go value of type storage.continueToken");
  EXPECT_EQ(key_of(R"({"v":"meta.k8s.io/v1","rv":1e30,"start":"a"})"),
            context + "json: cannot unmarshal number 1e30 into Go struct field continueToken.rv of type int64");
  EXPECT_EQ(key_of(R"({"v":"meta.k8s.io/v1","rv":1,"start":5})"),
            context + "json: cannot unmarshal number into Go struct field continueToken.start of type string");
  EXPECT_EQ(key_of("null"), context + "server does not recognize this encoded version ");
  for (const auto& [text, at] : {std::pair("x", 0), {"a=", 1}, {"YQ==", 2}, {"e30=", 3}})
    EXPECT_EQ(ContinueToken::decode(text).status().message(), str_cat(context, "illegal base64 data at input byte ", at));
}

}  // namespace
}  // namespace orrery::server
