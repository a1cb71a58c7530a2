#include <gtest/gtest.h>

#include "engine/server/rest/rest.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"
#include "tests/support/memory_transport.h"

namespace orrery::server {
namespace {

Server::Options server_options() {
  Server::Options options;
  options.serves_clients = true;
  options.services = {"10.96.0.0/16", 30000, 32767};
  return options;
}

ServerOptions options_with_token() {
  ServerOptions options;
  options.tokens = {{"root", "admin", "1", {"system:masters"}}};
  options.service_cidr = "10.96.0.0/16";
  return options;
}

constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr const char* kWidgets = "/apis/example.com/v1/namespaces/default/widgets";
constexpr const char* kMerge = "application/merge-patch+json";

constexpr const char* kDefinition = R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
  "metadata":{"name":"widgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
  "names":{"plural":"widgets","kind":"Widget"},"versions":[{"name":"v1","served":true,"storage":true,
  "subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
  "schema":{"openAPIV3Schema":{"type":"object","properties":{
    "spec":{"type":"object","x-kubernetes-validations":[{"rule":"self.replicas <= 5","message":"too many"}],
      "properties":{"size":{"type":"string","enum":["s","l"]},"replicas":{"type":"integer","default":1}}},
    "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}})";

/// An API server without sockets, with one definition.
class CustomResourcesTest : public ::testing::Test {
 protected:
  CustomResourcesTest()
      : kernel_(Time::from_unix_seconds(1'700'000'000)),
        store_(&kernel_, &kernel_),
        env_{&kernel_, &kernel_, nullptr, Rng(1)},
        transport_(&kernel_),
        server_(env_, &store_, server_options()),
        rest_(env_, {&server_, &transport_, nullptr, nullptr}, options_with_token(), {}) {
    kernel_.run_until(kernel_.now());
    EXPECT_EQ(call("POST", kDefinitions, kDefinition).code, 201);
  }

  struct Answer {
    int code = 0;
    api::Json body;
    std::string message() const { return body["message"].is_string() ? body["message"].as_string().str() : ""; }
  };
  Answer call(std::string method, std::string path, std::string body = "", std::string type = "application/json") {
    HttpRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = {{"user-agent", "test/1"}, {"authorization", "Bearer root"}, {"content-type", std::move(type)}};
    request.body = std::move(body);
    const uint64_t exchange = transport_.send(std::move(request));
    kernel_.run_until(kernel_.now());
    const HttpResponse& raw = transport_.answers[exchange];
    auto json = api::Json::parse(raw.body);
    return {raw.code, json.is_ok() ? std::move(*json) : api::Json()};
  }
  Answer create(std::string name, std::string spec) {
    return call("POST", kWidgets, str_cat(R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":")", name,
                                          R"("},"spec":)", spec, "}"));
  }

  sim::Kernel kernel_;
  sim::SimStore store_;
  Env env_;
  test::MemoryTransport transport_;
  Server server_;
  Rest rest_;
};

TEST_F(CustomResourcesTest, ADefinitionIsEstablishedAndItsKindIsServed) {
  const Answer definition = call("GET", str_cat(kDefinitions, "/widgets.example.com"));
  EXPECT_EQ(definition.body["status"]["conditions"][size_t{1}]["type"].as_string(), "Established");
  EXPECT_EQ(definition.body["status"]["acceptedNames"]["listKind"].as_string(), "WidgetList");
  EXPECT_EQ(call("GET", "/apis/example.com/v1").body["resources"][size_t{0}]["name"].as_string(), "widgets");
  EXPECT_EQ(call("GET", "/apis/example.com/v1/widgets").body["kind"].as_string(), "WidgetList");
}

TEST_F(CustomResourcesTest, InstancesArePrunedAndGetDefaults) {
  const Answer made = create("a", R"({"size":"s","unknown":1})");
  EXPECT_EQ(made.code, 201);
  EXPECT_EQ(made.body["spec"]["replicas"].as_int(), 1);
  EXPECT_EQ(made.body["spec"].find("unknown"), nullptr);
  EXPECT_EQ(made.body["metadata"]["generation"].as_int(), 1);
}

TEST_F(CustomResourcesTest, SchemaAndRulesRefuse) {
  EXPECT_EQ(create("a", R"({"replicas":6})").message(), "Widget.example.com \"a\" is invalid: spec: Invalid value: \"object\": too many");
  const Answer wrong = create("a", R"({"size":3})");
  EXPECT_EQ(wrong.code, 422);
  EXPECT_EQ(wrong.body["details"]["causes"][size_t{0}]["reason"].as_string(), "FieldValueTypeInvalid");
}

TEST_F(CustomResourcesTest, StatusAndScaleAreWrittenApart) {
  create("a", R"({"size":"s"})");
  const std::string path = str_cat(kWidgets, "/a");
  EXPECT_EQ(call("PATCH", path, R"({"status":{"x":1}})", kMerge).body.find("status"), nullptr);
  const Answer status = call("PATCH", path + "/status", R"({"spec":{"size":"l"},"status":{"x":1}})", kMerge);
  EXPECT_EQ(status.body["spec"]["size"].as_string(), "s");
  EXPECT_EQ(status.body["status"]["x"].as_int(), 1);
  EXPECT_EQ(status.body["metadata"]["generation"].as_int(), 1);
  EXPECT_EQ(call("PATCH", path + "/scale", R"({"spec":{"replicas":3}})", kMerge).body["spec"]["replicas"].as_int(), 3);
  EXPECT_EQ(call("GET", path).body["metadata"]["generation"].as_int(), 2);
  EXPECT_EQ(call("PATCH", path, "{}", "application/strategic-merge-patch+json").code, 415);
}

TEST_F(CustomResourcesTest, ADefinitionTakesItsInstancesAlong) {
  create("a", R"({"size":"s"})");
  EXPECT_EQ(call("DELETE", str_cat(kDefinitions, "/widgets.example.com")).code, 200);
  EXPECT_EQ(call("GET", str_cat(kDefinitions, "/widgets.example.com")).code, 404);
  EXPECT_EQ(call("GET", str_cat(kWidgets, "/a")).code, 404);
  EXPECT_EQ(call("POST", kDefinitions, kDefinition).code, 201);
  EXPECT_EQ(call("GET", kWidgets).body["items"].size(), 0u);
}

TEST_F(CustomResourcesTest, ABodyThatCallsItselfAnotherKindIsInvalid) {
  const Answer answer = call("POST", kWidgets, R"({"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"a"},"spec":{"size":"s"}})");
  EXPECT_EQ(answer.code, 422);
  EXPECT_EQ(answer.message(), "Gadget.example.com \"a\" is invalid: [kind: Invalid value: \"Gadget\": must be Widget, spec: Invalid value: \"object\": "
                              "no such key: replicas evaluating rule: too many]");
}

TEST_F(CustomResourcesTest, WatchesEndWithTheirDefinition) {
  HttpRequest request;
  request.method = "GET";
  request.path = kWidgets;
  request.query = "watch=1";
  request.headers = {{"authorization", "Bearer root"}};
  const uint64_t watch = transport_.send(std::move(request));
  create("a", R"({"size":"s"})");
  EXPECT_FALSE(transport_.ended[watch]);
  EXPECT_EQ(call("DELETE", str_cat(kDefinitions, "/widgets.example.com")).code, 200);
  EXPECT_NE(transport_.streams[watch].find("\"type\":\"DELETED\""), std::string::npos);
  EXPECT_TRUE(transport_.ended[watch]);
}

TEST_F(CustomResourcesTest, DefinitionsThatCannotBeServedAreRefused) {
  std::string text = kDefinition;
  text.replace(text.find("\"integer\""), 9, "\"text\"");
  text.replace(text.find("widgets.example.com"), 19, "gadgets.example.com");
  const Answer answer = call("POST", kDefinitions, text);
  EXPECT_EQ(answer.code, 422);
  EXPECT_NE(answer.message().find("must be spec.names.plural+\".\"+spec.group"), std::string::npos);
  EXPECT_NE(answer.message().find("properties[replicas].type: Unsupported value: \"text\""), std::string::npos);
}

}  // namespace
}  // namespace orrery::server
