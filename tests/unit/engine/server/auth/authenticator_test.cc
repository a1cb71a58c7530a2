#include "engine/api/base64.h"
#include "engine/server/auth/authenticator.h"

#include <gtest/gtest.h>

#include "engine/api/gen/authenticationv1.h"
#include "engine/runtime/json_web_token.h"
#include "engine/server/auth/token_request.h"
#include "tests/support/object_table.h"
#include "tests/support/plain_signer.h"

namespace orrery::server {
namespace {

constexpr int64_t kSecond = 1'735'689'600;
constexpr Time kNow = Time::from_unix_seconds(kSecond);
constexpr std::string_view kIssuer = "https://issuer";
constexpr std::string_view kBoundToPod =
    R"("boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"})";

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    put_account("u-sa");
    objects_.put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns"}})");
    objects_.put(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","uid":"u-n1"}})");
    objects_.put(
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns","uid":"u-p"},
                     "spec":{"serviceAccountName":"sa","nodeName":"n1","containers":[]}})");
    options_.issuers = {Str(kIssuer)};
    options_.bootstrap_tokens = true;
    options_.static_tokens.set("secret", ApiUser{"alice", "u", {"dev"}, {}});
  }

  void put_account(std::string_view uid) {
    objects_.put(str_cat(
        R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"sa","namespace":"ns","uid":")",
        uid, R"("}})"));
  }
  Result<Authentication> ask(HttpHeaders headers, std::string_view common_name = "",
                             Time now = kNow) const {
    HttpRequest request;
    request.headers = std::move(headers);
    request.certificate_common_name = common_name;
    request.certificate_organizations = {"ops"};
    return Authenticator(options_, &signer_, &objects_).authenticate(request, now);
  }
  Result<Authentication> bearer(std::string_view token, Time now = kNow) const {
    return ask({{"authorization", str_cat("Bearer ", token)}}, "", now);
  }
  std::string error_of(std::string_view token, int64_t second = kSecond) const {
    const auto found = Authenticator(options_, &signer_, &objects_)
                           .authenticate_token(token, {}, Time::from_unix_seconds(second));
    return found.is_ok() ? "" : found.status().message();
  }
  Review request(std::string_view spec) const {
    const auto body = test::object_of(str_cat(
        R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{)", spec, "}}"));
    TokenRequestOptions options;
    options.issuer = kIssuer;
    options.audiences = {Str(kIssuer)};
    return request_token(body, "ns", "sa", "jti", options, signer_, objects_, kNow);
  }
  Str token(std::string_view spec) const {
    const Review review = request(spec);
    CHECK(review.refusal.is_ok()) << review.refusal.status.message();
    return review.object.get<authenticationv1::TokenRequest>().status->token;
  }

  test::ObjectTable objects_;
  test::PlainSigner signer_;
  AuthenticatorOptions options_;
};

TEST_F(AuthenticatorTest, WithoutCredentialsNobodyOrAnonymous) {
  EXPECT_EQ(ask({}).status().code(), Code::kUnauthorized);
  options_.anonymous = true;
  const auto found = ask({});
  ASSERT_TRUE(found.is_ok());
  EXPECT_EQ(found->user.name, "system:anonymous");
  EXPECT_EQ(found->user.groups, (List<Str>{"system:unauthenticated"}));
}

TEST_F(AuthenticatorTest, WrongTokensAreNeverAnonymous) {
  options_.anonymous = true;
  for (const char* header :
       {"Bearer wrong", "Bearer a.b.c", "bearer secret2", "Bearer ..", "Bearer {}"})
    EXPECT_EQ(ask({{"authorization", header}}).status().message(), "Unauthorized") << header;
}

TEST_F(AuthenticatorTest, CertificatesComeBeforeTokens) {
  const auto found = ask({{"authorization", "Bearer secret"}}, "bob");
  ASSERT_TRUE(found.is_ok());
  EXPECT_EQ(found->user.name, "bob");
  EXPECT_EQ(found->user.groups, (List<Str>{"ops", "system:authenticated"}));
  options_.client_certificates = false;
  EXPECT_EQ(ask({{"authorization", "Bearer secret"}}, "bob")->user.name, "alice");
}

TEST_F(AuthenticatorTest, BrowsersSendTheTokenAsWebsocketProtocol) {
  const std::string protocol =
      str_cat("base64url.bearer.authorization.k8s.io.", base64url_encode("secret"));
  const auto found = ask({{"sec-websocket-protocol", str_cat("v4.channel.k8s.io, ", protocol)}});
  ASSERT_TRUE(found.is_ok());
  EXPECT_EQ(found->user.name, "alice");
}

TEST_F(AuthenticatorTest, BootstrapTokensNeedAMatchingSecret) {
  const auto put = [&](std::string_view more) {
    objects_.put(
        str_cat(R"({"apiVersion":"v1","kind":"Secret","type":"bootstrap.kubernetes.io/token",
        "metadata":{"name":"bootstrap-token-abcdef","namespace":"kube-system"},"data":{"token-id":"YWJjZGVm",
        "token-secret":"MDEyMzQ1Njc4OWFiY2RlZg==","usage-bootstrap-authentication":"dHJ1ZQ==")",
                more, "}}"));
  };
  const std::string_view good = "abcdef.0123456789abcdef";
  EXPECT_FALSE(bearer(good).is_ok());
  put("");
  const auto found = bearer(good);
  ASSERT_TRUE(found.is_ok());
  EXPECT_EQ(found->user.name, "system:bootstrap:abcdef");
  EXPECT_EQ(found->user.groups, (List<Str>{"system:bootstrappers", "system:authenticated"}));
  EXPECT_FALSE(bearer("abcdef.0123456789abcdee").is_ok());
  EXPECT_FALSE(bearer("abcdef.0123456789ABCDEF").is_ok());
  put(R"(,"expiration":"MjAyNC0wMS0wMVQwMDowMDowMFo=")");  // 2024-01-01
  EXPECT_FALSE(bearer(good).is_ok());
  put(R"(,"auth-extra-groups":"c3lzdGVtOm1hc3RlcnM=")");  // system:masters
  EXPECT_FALSE(bearer(good).is_ok());
}

TEST_F(AuthenticatorTest, TokensEndWithTheirTimeAndTheirAccount) {
  const Str plain = token("");
  EXPECT_EQ(bearer(plain)->user.name, "system:serviceaccount:ns:sa");
  EXPECT_EQ(error_of(plain, kSecond + 3600 + 59), "");
  EXPECT_EQ(error_of(plain, kSecond + 3600 + 61),
            "[invalid bearer token, service account token has expired]");
  EXPECT_EQ(error_of(plain, kSecond - 61),
            "[invalid bearer token, service account token is not valid yet]");
  put_account("u-2");
  EXPECT_EQ(error_of(plain),
            "[invalid bearer token, service account UID (u-2) does not match claim (u-sa)]");
}

TEST_F(AuthenticatorTest, ForgedTokensAreRefused) {
  std::string forged = token("").str();
  forged[forged.size() - 3] = forged[forged.size() - 3] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(bearer(forged).is_ok());
  const std::string unsigned_token =
      str_cat(base64url_encode(R"({"alg":"none"})"), ".",
              base64url_encode(R"({"iss":"https://issuer","aud":["https://issuer"]})"), ".");
  EXPECT_FALSE(bearer(unsigned_token).is_ok());
  TokenClaims claims;
  claims.issuer = kIssuer;
  EXPECT_EQ(error_of(*issue_token(claims, test::PlainSigner("other"))),
            "[invalid bearer token, invalid signature, no keys found]");
}

TEST_F(AuthenticatorTest, BoundTokensDieWithTheirObject) {
  const Str bound = token(kBoundToPod);
  const auto found = bearer(bound);
  ASSERT_TRUE(found.is_ok());
  EXPECT_EQ(found->user.extra.get("authentication.kubernetes.io/pod-uid"), (List<Str>{"u-p"}));
  EXPECT_EQ(found->user.extra.get("authentication.kubernetes.io/node-name"), (List<Str>{"n1"}));
  objects_.remove(test::object_of(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns"}})"));
  EXPECT_EQ(error_of(bound), "[invalid bearer token, service account token has been invalidated]");
}

TEST_F(AuthenticatorTest, ATokenOfASecretLivesAsLongAsTheSecretHasIt) {
  const auto claims = *api::Json::parse(
      R"({"iss":"kubernetes/serviceaccount","sub":"system:serviceaccount:ns:sa",
          "kubernetes.io/serviceaccount/namespace":"ns","kubernetes.io/serviceaccount/secret.name":"s",
          "kubernetes.io/serviceaccount/service-account.name":"sa","kubernetes.io/serviceaccount/service-account.uid":"u-sa"})");
  const std::string text = signed_token(claims, signer_)->str();
  const auto put_secret = [&](std::string_view token, std::string_view labels) {
    objects_.put(str_cat(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"ns","labels":{)", labels,
                         R"(}},"data":{"token":")", api::base64_encode(token), R"("}})"));
  };
  EXPECT_EQ(error_of(text), "[invalid bearer token, Token has been invalidated]");
  put_secret("another", "");
  EXPECT_EQ(error_of(text), "[invalid bearer token, Token does not match server's copy]");
  put_secret(text, "");
  const auto found = bearer(text);
  ASSERT_TRUE(found.is_ok()) << found.status().message();
  EXPECT_EQ(found->user.name, "system:serviceaccount:ns:sa");
  EXPECT_EQ(found->user.uid, "u-sa");
  EXPECT_EQ(found->audiences, (List<Str>{Str(kIssuer)}));
  put_secret(text, R"("kubernetes.io/legacy-token-invalid-since":"2024-01-01")");
  EXPECT_NE(error_of(text), "");
  put_secret(text, "");
  put_account("u-another");
  EXPECT_NE(error_of(text), "");
}

TEST_F(AuthenticatorTest, PodsOfAnotherAccountAreNotBound) {
  objects_.put(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns","uid":"u-q"},
                   "spec":{"serviceAccountName":"other","containers":[]}})");
  EXPECT_EQ(
      request(kBoundToPod).refusal.status.message(),
      "cannot bind token for serviceaccount \"sa\" to pod running with different serviceaccount name.");
}

TEST_F(AuthenticatorTest, ProjectedTokensOfPodsLiveForAYearAndWarnAfterAnHour) {
  const Str text = token(str_cat(R"("expirationSeconds":3607,)", kBoundToPod));
  const std::string_view payload = text.view().substr(text.view().find('.') + 1);
  const auto claims = api::Json::parse(*base64url_decode(payload.substr(0, payload.find('.'))));
  ASSERT_TRUE(claims.is_ok());
  EXPECT_EQ((*claims)["exp"].as_int(), kSecond + 365 * 24 * 3600);
  EXPECT_EQ((*claims)["kubernetes.io"]["warnafter"].as_int(), kSecond + 3607);
  EXPECT_EQ((*claims)["kubernetes.io"]["node"].dump_sorted(), R"({"name":"n1","uid":"u-n1"})");
}

TEST(Base64Url, HasNoPaddingAndItsOwnLetters) {
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  EXPECT_EQ(base64url_decode("-_8"), "\xfb\xff");
  EXPECT_FALSE(base64url_decode("+/8"));
  EXPECT_FALSE(base64url_decode("-_8="));
}

}  // namespace
}  // namespace orrery::server
