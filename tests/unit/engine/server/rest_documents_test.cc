// What the server says of itself: OpenAPI documents and discovery.
#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

constexpr const char* kSwagger = "/openapi/v2";
constexpr const char* kSpecType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
constexpr const char* kSpecTypeOfOld = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

class RestDocumentsTest : public RestTest {
 protected:
  uint64_t ask(const std::string& target, HttpHeaders headers) {
    return post("GET", target, "", "", "root", std::move(headers));
  }
  HttpResponse answered(uint64_t exchange) {
    kernel_.run_until(kernel_.now());
    return transport_.answers[exchange];
  }
  HttpResponse get(const std::string& target, HttpHeaders headers) {
    return answered(ask(target, std::move(headers)));
  }
};

TEST_F(RestDocumentsTest, AllWhoAskForTheSwaggerDocumentMeanwhileGetIt) {
  const uint64_t first = ask(kSwagger, {{"accept", "application/json"}});
  const uint64_t second = ask(kSwagger, {{"accept", kSpecTypeOfOld}});
  const HttpResponse json = answered(first), proto = answered(second);
  EXPECT_EQ(json.code, 200);
  EXPECT_EQ(find_header(json.headers, "content-type"), "application/json");
  EXPECT_EQ(find_header(json.headers, "vary"), "Accept");
  EXPECT_TRUE(json.body.starts_with(R"({"swagger":"2.0")"));
  EXPECT_EQ(proto.code, 200);
  EXPECT_EQ(find_header(proto.headers, "content-type"), kSpecType);
  EXPECT_TRUE(proto.body.starts_with("\x0a\x03" "2.0"));
  EXPECT_EQ(find_header(proto.headers, "etag"), find_header(json.headers, "etag"));
}

TEST_F(RestDocumentsTest, WhoHasTheSwaggerDocumentIsNotSentItAgain) {
  const std::string tag(find_header(get(kSwagger, {}).headers, "etag"));
  for (const std::string& known : {tag, "\"other\", " + tag, "W/" + tag, std::string("*")}) {
    const HttpResponse again = get(kSwagger, {{"if-none-match", known}});
    EXPECT_EQ(again.code, 304) << known;
    EXPECT_EQ(again.body, "");
  }
  EXPECT_EQ(get(kSwagger, {{"if-none-match", "\"other\""}}).code, 200);
}

TEST_F(RestDocumentsTest, TheSwaggerDocumentHasTwoForms) {
  EXPECT_EQ(get(kSwagger, {{"accept", "text/plain"}}).code, 406);
  const HttpResponse best = get(kSwagger, {{"accept", str_cat("application/json;q=0.5,", kSpecType)}});
  EXPECT_EQ(find_header(best.headers, "content-type"), kSpecType);
  const HttpResponse any = get(kSwagger, {{"accept", "text/html, application/*"}});
  EXPECT_EQ(find_header(any.headers, "content-type"), "application/json");
}

TEST_F(RestDocumentsTest, WhoAskedAndWentIsNotWaitedFor) {
  const uint64_t gone = ask(kSwagger, {});
  transport_.hang_up(gone);
  EXPECT_EQ(get(kSwagger, {}).code, 200);
  EXPECT_FALSE(transport_.answers.contains(gone));
}

}  // namespace
}  // namespace orrery::server
