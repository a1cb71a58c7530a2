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

TEST_F(RestDocumentsTest, WhoLooksByHandGetsIndentedJson) {
  const char* const kIndented = "{\n  \"kind\": \"ConfigMapList\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {\n    \"resourceVersion\"";
  const std::string maps = "/api/v1/namespaces/nowhere/configmaps";
  EXPECT_TRUE(get(maps + "?pretty=true", {}).body.starts_with(kIndented));
  EXPECT_TRUE(get(maps, {{"accept", "application/json;pretty=1"}}).body.ends_with("\n  \"items\": []\n}"));
  EXPECT_FALSE(get(maps, {}).body.starts_with(kIndented));
  HttpRequest curl;
  curl.method = "GET";
  curl.path = maps;
  curl.headers = {{"user-agent", "curl/8"}, {"authorization", "Bearer root"}};
  EXPECT_TRUE(answered(transport_.send(curl)).body.starts_with(kIndented));
  EXPECT_TRUE(get("/version", {}).body.starts_with("{\n  \"major\": \"1\""));
}

TEST_F(RestDocumentsTest, EveryAnswerNamesItsRequest) {
  EXPECT_EQ(find_header(get("/healthz", {}).headers, "audit-id").size(), 36u);
  EXPECT_EQ(find_header(get("/api/v1/pods", {{"audit-id", "mine"}}).headers, "audit-id"), "mine");
  EXPECT_EQ(find_header(get("/nowhere", {}).headers, "x-content-type-options"), "nosniff");
  EXPECT_EQ(find_header(get("/api/v1/pods", {}).headers, "x-content-type-options"), "");
}

TEST_F(RestDocumentsTest, ThePathsOfBuiltInResourcesEndWhereTheirRoutesDo) {
  for (const char* path : {"/api/v1/namespaces/default/nodes", "/api/v1/namespaces/default/namespaces/x", "/api/v1/pods/x",
                           "/api/v1/namespaces/default/pods/x/log/y", "/apis/apps/v1/namespaces/default/deployments/x/status/y"}) {
    const Answer answer = call("GET", path);
    EXPECT_EQ(answer.code, 404) << path;
    EXPECT_EQ(answer.body["message"].as_string(), "the server could not find the requested resource") << path;
  }
  EXPECT_EQ(call("GET", "/api/v1/namespaces/default/status").code, 200);
}

TEST_F(RestDocumentsTest, WhatIsNotAcceptableIsToldByTheRouteThatWasAsked) {
  const std::string forms = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf";
  const auto told = [this](const std::string& path) {
    return api::Json::parse(get(path, {{"accept", "text/html"}}).body)->find("message")->as_string().str();
  };
  EXPECT_EQ(told("/api/v1/pods"), forms + ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch");
  EXPECT_EQ(told("/api/v1/namespaces/default"), forms);
  EXPECT_EQ(get("/apis/nope/v1", {{"accept", "text/html"}}).code, 404);
  EXPECT_EQ(get("/openapi/v3/api/v1", {{"accept", "text/html"}}).code, 406);
  EXPECT_EQ(get("/version", {{"accept", "application/*"}}).code, 406);
}

TEST_F(RestDocumentsTest, QueriesAreReadAsUpstreamReadsThem) {
  const auto told = [this](const std::string& path) { return call("GET", path).body["message"].as_string().str(); };
  EXPECT_EQ(told("/api/v1/pods?timeout=x"), "invalid timeout specified in the request URL - time: invalid duration \"x\"");
  EXPECT_EQ(told("/api/v1/namespaces/default?export=true"), "the export parameter, deprecated since v1.14, is no longer supported");
  EXPECT_EQ(call("GET", "/api/v1/pods?limit=1;watch=1").code, 200);
}

TEST_F(RestDocumentsTest, TheServiceOfTheServerOwnsWhatItsMakerSaid) {
  const Answer service = call("GET", "/api/v1/namespaces/default/services/kubernetes");
  const api::Json& fields = service.body["metadata"]["managedFields"][size_t{0}]["fieldsV1"]["f:spec"];
  EXPECT_NE(fields.find("f:clusterIP"), nullptr);
  EXPECT_EQ(fields.find("f:clusterIPs"), nullptr);
  EXPECT_EQ(service.body["spec"]["clusterIPs"].size(), 1u);
}

TEST_F(RestDocumentsTest, WhoAskedAndWentIsNotWaitedFor) {
  const uint64_t gone = ask(kSwagger, {});
  transport_.hang_up(gone);
  EXPECT_EQ(get(kSwagger, {}).code, 200);
  EXPECT_FALSE(transport_.answers.contains(gone));
}

// The envelope that the four bytes k8s\0 begin: {apiVersion, kind}, the message, two empty texts.
std::string enveloped(std::string_view api_version, std::string_view kind, std::string_view message) {
  const auto field = [](int number, std::string_view bytes) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    if (bytes.size() >= 0x80) out += static_cast<char>(bytes.size() | 0x80);
    out += static_cast<char>(bytes.size() >= 0x80 ? bytes.size() >> 7 : bytes.size());
    return out.append(bytes);
  };
  return std::string("k8s\0", 4) + field(1, field(1, api_version) + field(2, kind)) + field(2, message) + field(3, "") + field(4, "");
}

constexpr const char* kProtobuf = "application/vnd.kubernetes.protobuf";

TEST_F(RestDocumentsTest, DiscoveryIsWrittenInProtobufWhereItIsAskedFor) {
  const HttpResponse versions = get("/api", {{"accept", kProtobuf}});
  EXPECT_EQ(find_header(versions.headers, "content-type"), kProtobuf);
  EXPECT_TRUE(versions.body.starts_with(enveloped("", "APIVersions", "").substr(0, 21)));
  EXPECT_NE(versions.body.find("\x0a\x02v1"), std::string::npos);
  const HttpResponse group = get("/apis/batch", {{"accept", kProtobuf}});
  const std::string version = "\x0a\x08" "batch/v1" "\x12\x02v1";
  EXPECT_EQ(group.body, enveloped("v1", "APIGroup", "\x0a\x05" "batch\x12\x0e" + version + "\x1a\x0e" + version));
  for (const auto& [target, kind] : {std::pair("/apis", "APIGroupList"), std::pair("/api/v1", "APIResourceList"), std::pair("/apis/apps/v1", "APIResourceList")}) {
    const HttpResponse list = get(target, {{"accept", str_cat(kProtobuf, ",application/json")}});
    EXPECT_TRUE(list.body.starts_with(std::string("k8s\0", 4))) << target;
    EXPECT_NE(list.body.find(kind), std::string::npos) << target;
  }
}

TEST_F(RestDocumentsTest, AggregatedDiscoveryComesInEveryForm) {
  const std::string how = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const HttpResponse json = get("/apis", {{"accept", "application/json" + how}});
  EXPECT_EQ(find_header(json.headers, "content-type"), "application/json" + how);
  const HttpResponse yaml = get("/apis", {{"accept", "application/yaml" + how}});
  EXPECT_EQ(find_header(yaml.headers, "content-type"), "application/yaml" + how);
  EXPECT_NE(yaml.body.find("kind: APIGroupDiscoveryList"), std::string::npos);
  const HttpResponse proto = get("/apis", {{"accept", kProtobuf + how}});
  EXPECT_EQ(find_header(proto.headers, "content-type"), kProtobuf + how);
  EXPECT_TRUE(proto.body.starts_with(enveloped("apidiscovery.k8s.io/v2", "APIGroupDiscoveryList", "").substr(0, 53)));
  EXPECT_NE(proto.body.find("\x0a\x0b" "deployments\x12"), std::string::npos);
  const HttpResponse again = get("/apis", {{"accept", kProtobuf + how}, {"if-none-match", std::string(find_header(proto.headers, "etag"))}});
  EXPECT_EQ(again.code, 304);
  const HttpResponse plain = get("/apis", {{"accept", str_cat("application/json;q=0.5", how, ",application/yaml")}});
  EXPECT_NE(plain.body.find("kind: APIGroupList"), std::string::npos);
}

TEST_F(RestDocumentsTest, AFailureIsWrittenAsItIsAskedForWhereverItHappens) {
  const auto refused = [&](const char* target, const char* token, const char* accept) {
    return answered(post("GET", target, "", "", token, {{"accept", accept}}));
  };
  for (const auto& [target, token, code] : {std::tuple("/api/v1/pods", "wrong", 401), std::tuple("/api/v1/pods", "guest", 403),
                                            std::tuple("/api/v1/nothings", "root", 404), std::tuple("/apis/apps/v9", "root", 404)}) {
    const HttpResponse proto = refused(target, token, kProtobuf), yaml = refused(target, token, "application/yaml");
    EXPECT_EQ(proto.code, code) << target;
    EXPECT_EQ(find_header(proto.headers, "content-type"), kProtobuf) << target;
    EXPECT_TRUE(proto.body.starts_with(std::string("k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status", 18))) << target;
    EXPECT_NE(yaml.body.find("kind: Status"), std::string::npos) << target;
  }
  const HttpResponse table = refused("/api/v1/pods", "guest", "application/yaml;as=Table;v=v1;g=meta.k8s.io,application/json");
  EXPECT_TRUE(table.body.starts_with("{")) << table.body;
}

}  // namespace
}  // namespace orrery::server
