#include "realmode/crypto/token_signer.h"

#include <gtest/gtest.h>

#include "engine/api/gen/corev1.h"
#include "engine/server/auth/openid.h"
#include "engine/server/auth/service_account_token.h"

namespace orrery::realmode {
namespace {

// openssl ecparam -name prime256v1 -genkey -noout, made for this test.
constexpr std::string_view kEcKey = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIGzZY5gRZjO2JLAetM63g8a8ApP+tJyfF/hxW5KVWmyooAoGCCqGSM49
AwEHoUQDQgAEd1vhVN0lDTlbQfmLeIES9oEs+OVTDxsuo/E3+HIt8k6t5wKxTxr2
vOYYvvXnuzmUsoaVW9qzrQqPphyXCRHpvA==
-----END EC PRIVATE KEY-----
)";

std::string rsa_key() {
  static const std::string kKey = *make_rsa_key_pem();
  return kKey;
}

/// One service account, uid u-1, in namespace ns.
class OneAccount : public server::ObjectReader {
 public:
  api::Object find(const api::KindDesc& kind, std::string_view ns,
                   std::string_view name) const override {
    if (kind.kind != "ServiceAccount" || ns != "ns" || name != "sa") return {};
    corev1::ServiceAccount account;
    account.metadata.mut().name = "sa";
    account.metadata.mut().namespace_ = "ns";
    account.metadata.mut().uid = "u-1";
    return api::Object::of(std::move(account));
  }
};

server::TokenClaims claims() {
  server::TokenClaims claims;
  claims.issuer = "https://issuer";
  claims.subject = "system:serviceaccount:ns:sa";
  claims.audiences = {"https://issuer"};
  claims.issued_at = claims.not_before = 1'000'000;
  claims.expires_at = 1'003'600;
  claims.ns = "ns";
  claims.service_account = {"sa", "u-1"};
  return claims;
}

class EveryAlgorithm : public testing::TestWithParam<std::string_view> {
 protected:
  std::unique_ptr<OpensslTokenSigner> signer() const {
    const std::string key = GetParam() == "RS256" ? rsa_key() : std::string(kEcKey);
    auto made = OpensslTokenSigner::make(key, {});
    CHECK(made.is_ok()) << made.status().message();
    return std::move(*made);
  }
};

TEST_P(EveryAlgorithm, WhatIsSignedVerifies) {
  const auto s = signer();
  EXPECT_EQ(s->algorithm(), GetParam());
  const auto signature = s->sign("text");
  ASSERT_TRUE(signature.is_ok());
  EXPECT_EQ(signature->size(), GetParam() == "RS256" ? 256u : 64u);
  EXPECT_TRUE(s->verify(GetParam(), s->key_id(), "text", *signature));
  EXPECT_TRUE(s->verify(GetParam(), "", "text", *signature));
}

TEST_P(EveryAlgorithm, AnythingElseDoesNotVerify) {
  const auto s = signer();
  std::string signature = *s->sign("text");
  EXPECT_FALSE(s->verify(GetParam(), "", "other", signature));
  EXPECT_FALSE(s->verify(GetParam(), "another-key", "text", signature));
  EXPECT_FALSE(s->verify("none", "", "text", ""));
  EXPECT_FALSE(s->verify("HS256", "", "text", signature));
  EXPECT_FALSE(s->verify(GetParam(), "", "text", signature.substr(1)));
  signature[5] = static_cast<char>(signature[5] ^ 1);
  EXPECT_FALSE(s->verify(GetParam(), "", "text", signature));
}

TEST_P(EveryAlgorithm, IssuedTokensAreAccepted) {
  const auto s = signer();
  const OneAccount objects;
  const auto token = server::issue_token(claims(), *s);
  ASSERT_TRUE(token.is_ok());
  EXPECT_TRUE(server::is_service_account_token(*token, {"https://issuer"}));
  const auto verified = server::verify_token(*token, {"https://issuer"}, *s, objects,
                                             Time::from_unix_seconds(1'000'010));
  ASSERT_TRUE(verified.is_ok()) << verified.status().message();
  EXPECT_EQ(verified->user.name, "system:serviceaccount:ns:sa");
}

TEST_P(EveryAlgorithm, TokensOfAnotherKeyAreRefused) {
  const auto other = OpensslTokenSigner::make(*make_rsa_key_pem(), {});
  ASSERT_TRUE(other.is_ok());
  const OneAccount objects;
  const auto token = server::issue_token(claims(), **other);
  const auto verified = server::verify_token(*token, {"https://issuer"}, *signer(), objects,
                                             Time::from_unix_seconds(1'000'010));
  EXPECT_EQ(verified.status().message(), "invalid signature, no keys found");
}

INSTANTIATE_TEST_SUITE_P(Algorithms, EveryAlgorithm, testing::Values("RS256", "ES256"),
                         [](const auto& info) { return std::string(info.param); });

TEST(TokenSigner, KeySetNamesEveryAcceptedKey) {
  const auto s = OpensslTokenSigner::make(rsa_key(), {rsa_key() + std::string(kEcKey)});
  ASSERT_TRUE(s.is_ok()) << s.status().message();
  const auto document = api::Json::parse(server::openid_keys(**s));
  ASSERT_TRUE(document.is_ok());
  const auto& keys = (*document)["keys"].items();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0]["kid"].as_string().str(), (*s)->key_id());
  EXPECT_EQ(keys[0]["kty"].as_string(), "RSA");
  EXPECT_EQ(keys[0]["e"].as_string(), "AQAB");
  EXPECT_EQ(keys[1]["crv"].as_string(), "P-256");
  EXPECT_EQ(keys[1]["x"].as_string().size(), 43u);
  const auto configuration =
      api::Json::parse(server::openid_configuration("https://i", "https://j", **s));
  EXPECT_EQ((*configuration)["id_token_signing_alg_values_supported"].dump(),
            R"(["ES256","RS256"])");
}

TEST(TokenSigner, TextsWithoutKeysAreRefused) {
  EXPECT_FALSE(OpensslTokenSigner::make("no key", {}).is_ok());
  EXPECT_FALSE(OpensslTokenSigner::make("", {"no key"}).is_ok());
  EXPECT_FALSE(
      OpensslTokenSigner::make("", {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"})
          .is_ok());
  const auto nothing = OpensslTokenSigner::make("", {});
  ASSERT_TRUE(nothing.is_ok());
  EXPECT_FALSE((*nothing)->sign("text").is_ok());
}

}  // namespace
}  // namespace orrery::realmode
