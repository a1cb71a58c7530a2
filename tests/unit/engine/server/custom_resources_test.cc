#include <gtest/gtest.h>

#include "engine/server/custom/schema_check.h"
#include "engine/server/rest/rest.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"
#include "tests/support/memory_http_client.h"
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
        webhooks_(&kernel_),
        server_(env_, &store_, server_options()),
        rest_(env_, {&server_, &transport_, nullptr, &webhooks_}, options_with_token(), {}) {
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
    const size_t question = std::min(path.find('?'), path.size());
    request.path = path.substr(0, question);
    if (question < path.size()) request.query = path.substr(question + 1);
    request.headers = {{"user-agent", "test/1"}, {"authorization", "Bearer root"}, {"content-type", std::move(type)}};
    request.body = std::move(body);
    const uint64_t exchange = transport_.send(std::move(request));
    kernel_.run_until(kernel_.now());
    const HttpResponse& raw = transport_.answers[exchange];
    auto json = api::Json::parse(raw.body);
    return {raw.code, json.is_ok() ? std::move(*json) : api::Json()};
  }
  /// The exchange of a watch.
  uint64_t watch(std::string path, std::string query) {
    HttpRequest request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    request.headers = {{"authorization", "Bearer root"}};
    const uint64_t exchange = transport_.send(std::move(request));
    kernel_.run_until(kernel_.now());
    return exchange;
  }
  Answer create(std::string name, std::string spec) {
    return call("POST", kWidgets, str_cat(R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":")", name,
                                          R"("},"spec":)", spec, "}"));
  }

  sim::Kernel kernel_;
  sim::SimStore store_;
  Env env_;
  test::MemoryTransport transport_;
  test::MemoryHttpClient webhooks_;
  Server server_;
  Rest rest_;
};

TEST_F(CustomResourcesTest, APatchDoesNotMakeItSomethingElse) {
  ASSERT_EQ(call("POST", kWidgets, R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}})").code, 201);
  const Answer refused = call("PATCH", str_cat(kWidgets, "/w"), R"({"kind":"Foo","apiVersion":"x/v1"})", kMerge);
  EXPECT_EQ(refused.code, 422);
  EXPECT_EQ(refused.message(), "Foo.x \"w\" is invalid: [kind: Invalid value: \"Foo\": must be Widget, apiVersion: Invalid value: "
                               "\"x/v1\": must be example.com/v1]");
  EXPECT_EQ(call("PATCH", str_cat(kWidgets, "/w"), R"({"kind":"Widget"})", kMerge).code, 200);
}

TEST_F(CustomResourcesTest, WhatAnApplyEmptiesIsNullAndMustBeAllowedToBe) {
  const auto applied = [&](std::string_view spec, std::string_view manager) {
    return call("PATCH", str_cat(kWidgets, "/w?fieldManager=", manager),
                str_cat(R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"},"spec":)", spec, "}"),
                "application/apply-patch+yaml");
  };
  EXPECT_EQ(applied(R"({"size":"s","replicas":2})", "a").code, 201);
  const Answer emptied = applied("{}", "a");
  EXPECT_EQ(emptied.code, 422);
  EXPECT_EQ(emptied.message().substr(0, 93), "Widget.example.com \"w\" is invalid: [spec: Invalid value: \"null\": spec in body must be of type");
  const Answer conflict = applied(R"({"size":"l"})", "b");
  EXPECT_EQ(conflict.code, 409);
  EXPECT_EQ(conflict.body["details"].members().size(), 1u);  // the causes
  const Answer unknown = applied(R"({"depth":"l"})", "b");
  EXPECT_EQ(unknown.code, 500);
  EXPECT_EQ(unknown.body.find("reason"), nullptr) << unknown.body.dump();
}

TEST_F(CustomResourcesTest, AScaleNeedsReplicasThatAreThere) {
  const std::string widget = str_cat(kWidgets, "/w"), scale = widget + "/scale";
  EXPECT_EQ(call("GET", scale).message(), "widgets.example.com \"w\" not found");
  ASSERT_EQ(call("POST", kWidgets, R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}})").code, 201);
  EXPECT_EQ(call("GET", scale).message(), "Internal error occurred: the spec replicas field \".spec.replicas\" does not exist");
  EXPECT_EQ(call("PATCH", scale, R"({"status":{"replicas":3}})", kMerge).message(), "the spec replicas field \".spec.replicas\" cannot be empty");
  EXPECT_EQ(call("PATCH", scale, R"({"spec":{"replicas":2}})", kMerge).code, 200);
  EXPECT_EQ(call("GET", scale).body["spec"]["replicas"].as_int(), 2);
}

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

TEST_F(CustomResourcesTest, AValueOfAnotherTypeIsCheckedByAllElse) {
  const char* const definition = R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
    "metadata":{"name":"unions.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"unions","kind":"Union"},
    "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",
    "properties":{"at":{"type":"string","format":"date-time"},
                  "port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}}}}}}]}})";
  ASSERT_EQ(call("POST", kDefinitions, definition).code, 201);
  const Answer wrong = call("POST", "/apis/example.com/v1/namespaces/default/unions",
                            R"({"apiVersion":"example.com/v1","kind":"Union","metadata":{"name":"a"},"spec":{"port":true,"at":1}})");
  std::vector<std::string> fields;
  for (const api::Json& cause : wrong.body["details"]["causes"].items()) fields.push_back(cause["field"].as_string().str());
  EXPECT_EQ(fields, (std::vector<std::string>{"spec.at", "spec.port", "<nil>", "spec.port"})) << wrong.message();
  EXPECT_NE(wrong.message().find(R"(spec.at in body must be of type date-time: "int64")"), std::string::npos);
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

TEST_F(CustomResourcesTest, ABodyMustSayWhatItIs) {
  EXPECT_EQ(call("POST", kWidgets, R"({"metadata":{"name":"w"}})").message(),
            R"(the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{"metadata":{"name":"w"}}' ({"metadata":{"name":"w"}}))");
  EXPECT_EQ(call("POST", kWidgets, R"({"kind":"Widget","metadata":{"name":"w"}})").message(),
            "the API version in the data () does not match the expected API version (example.com/v1)");
}

TEST_F(CustomResourcesTest, PlacesAndMethodsThatAreNotThereAreToldAsByTheHandlerOfCustomResources) {
  const Answer cluster_wide = call("GET", "/apis/example.com/v1/widgets/w");
  EXPECT_EQ(cluster_wide.code, 404);
  EXPECT_TRUE(cluster_wide.body.is_null());  // a page
  EXPECT_EQ(call("GET", "/apis/example.com/v1/gadgets").message(), "");
  EXPECT_EQ(call("GET", std::string(kWidgets) + "/w/log").message(), "widgets.example.com \"w\" not found");
  const Answer made = call("POST", std::string(kWidgets) + "/w/status", "{}");
  EXPECT_EQ(made.code, 405);
  EXPECT_EQ(made.message(), "create is not supported on resources of kind \"widgets.example.com\"");
  EXPECT_EQ(call("PUT", kWidgets, "{}").message(), "name must be provided");
  EXPECT_EQ(call("PATCH", std::string(kWidgets) + "/w", "{}", "text/plain").code, 415);
  EXPECT_EQ(call("HEAD", kWidgets).code, 200);
}

TEST_F(CustomResourcesTest, WatchesEndWithTheirDefinition) {
  const uint64_t stream = watch(kWidgets, "watch=1");
  create("a", R"({"size":"s"})");
  EXPECT_FALSE(transport_.ended[stream]);
  EXPECT_EQ(call("DELETE", str_cat(kDefinitions, "/widgets.example.com")).code, 200);
  EXPECT_NE(transport_.streams[stream].find("\"type\":\"DELETED\""), std::string::npos);
  EXPECT_TRUE(transport_.ended[stream]);
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

TEST_F(CustomResourcesTest, RulesOfASchemaAreCheckedBeforeThereAreInstances) {
  const auto told = [this](std::string_view properties, std::string_view rule) {
    return call("POST", kDefinitions, str_cat(R"({"metadata":{"name":"a.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
        "names":{"plural":"a","kind":"A","singular":"b","listKind":"AList"},"versions":[{"name":"v1","served":true,"storage":true,
        "schema":{"openAPIV3Schema":{"type":"object","properties":{"s":{"type":"object","properties":{)", properties,
                                              R"(},"x-kubernetes-validations":[{"rule":")", rule, R"("}]}}}}}]}})")).message();
  };
  EXPECT_NE(told(R"("a":{"type":"string","default":"q","x-kubernetes-validations":[{"rule":"self == 'x'"}]})", "true").find(
                "properties[a].default: Invalid value: \"string\": failed rule: self == 'x'"), std::string::npos);
  EXPECT_NE(told(R"("a":{"x-kubernetes-preserve-unknown-fields":true,"x-kubernetes-validations":[{"rule":"self == 1"}]})", "true").find(
                "properties[a].x-kubernetes-validations: Internal error: "), std::string::npos);
  const std::string costly = told(R"schema("l":{"type":"array","items":{"type":"string","x-kubernetes-validations":[{"rule":"self.matches('a')"}]}})schema", "true");
  EXPECT_NE(costly.find("contributed to"), std::string::npos);
  EXPECT_EQ(costly.find("properties[s].x-kubernetes-validations"), std::string::npos);  // it contributes next to nothing
}

TEST_F(CustomResourcesTest, FormatsOfTextsAreThoseOfUpstream) {
  struct Case {
    std::string_view format, right, wrong;
  };
  constexpr Case kCases[] = {{"ip-v4", "01.2.3.4", "1.2.3"},
                             {"ipv6", "::ffff:1.2.3.4", "1::2::3"},
                             {"cidr", "10.0.0.0/8", "10.0.0.1/33"},
                             {"mac", "0011.2233.4455", "00:11-22:33:44:55"},
                             {"hostname", "foo.bar", "my-host-name"},
                             {"email", "A B <a@b.c>", "a.@b.c"},
                             {"uri", "foo:bar", "foo"},
                             {"byte", "YWJj", ""},
                             {"duration", "3 days", "10"},
                             {"date-time", "2024-01-02t03:04:05z", "2024-01-02T23:59:60Z"},
                             {"isbn10", "0-321-75104-3", "0321751044"},
                             {"isbn", "978-0321751041", "978-0321751042"},
                             {"creditcard", "4111 1111 1111 1111", "4111111111111112"},
                             {"ssn", "123-45-6789", "123456789"},
                             {"rgbcolor", "rgb( 1 , 2 , 3 )", "rgb(256,1,1)"},
                             {"bsonobjectid", "507f1f77bcf86cd799439011", "507f1f77bcf86cd79943901"}};
  for (const Case& one : kCases) {
    EXPECT_TRUE(fits_format(one.format, one.right)) << one.format;
    EXPECT_FALSE(fits_format(one.format, one.wrong)) << one.format;
  }
}

TEST_F(CustomResourcesTest, RulesThatCameLaterWarnOfWhatStaysAsItWas) {
  ASSERT_EQ(create("a", R"({"size":"s","replicas":5})").code, 201);
  std::string stricter = kDefinition;
  stricter.replace(stricter.find("<= 5"), 4, "<= 3");
  const std::string path = str_cat(kDefinitions, "/widgets.example.com");
  api::Json definition = *api::Json::parse(stricter);
  definition.find("metadata")->set("resourceVersion", call("GET", path).body["metadata"]["resourceVersion"].as_string());
  ASSERT_EQ(call("PUT", path, definition.dump()).code, 200);
  HttpRequest label;
  label.method = "PATCH";
  label.path = str_cat(kWidgets, "/a");
  label.headers = {{"authorization", "Bearer root"}, {"content-type", kMerge}};
  label.body = R"({"metadata":{"labels":{"x":"y"}}})";
  const uint64_t labelled = transport_.send(label);
  kernel_.run_until(kernel_.now());
  EXPECT_EQ(transport_.answers[labelled].code, 200);
  EXPECT_EQ(find_header(transport_.answers[labelled].headers, "warning"), R"(299 - "spec: Invalid value: \"object\": too many")");
  EXPECT_EQ(call("PATCH", str_cat(kWidgets, "/a"), R"({"spec":{"replicas":4}})", kMerge).code, 422);
}

TEST_F(CustomResourcesTest, WhatChangesItsOrderOnlyIsNotCheckedAgain) {
  const api::Json schema = *api::Json::parse(R"({"type":"object","required":["q"],"properties":{"n":{"type":"integer","maximum":1},
    "l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object"}}}})");
  const api::Json old = *api::Json::parse(R"({"n":2,"l":[{"k":"a"},{"k":"b"}]})"), turned = *api::Json::parse(R"({"n":2,"l":[{"k":"b"},{"k":"a"}]})");
  FieldErrors none, all;
  check_by_schema(turned, &old, schema, "", none);
  EXPECT_TRUE(none.empty());
  check_by_schema(turned, nullptr, schema, "", all);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].field, "n");
  EXPECT_EQ(all[1].field, "q");  // what is missing comes last
}

TEST_F(CustomResourcesTest, NamesOfADefinitionThatHasGoneAreFree) {
  const auto define = [this](std::string_view name) {
    return call("POST", kDefinitions, str_cat(R"({"metadata":{"name":")", name, R"(.example.com"},"spec":{"group":"example.com","scope":"Cluster",
        "names":{"plural":")", name, R"(","singular":")", name, R"(","kind":"K","listKind":"KList"},"versions":[{"name":"v1","served":true,"storage":true,
        "schema":{"openAPIV3Schema":{"type":"object"}}}]}})")).code;
  };
  const auto accepted = [this] {
    return call("GET", str_cat(kDefinitions, "/two.example.com")).body["status"]["conditions"][size_t{0}]["status"].as_string();
  };
  ASSERT_EQ(define("one"), 201);
  ASSERT_EQ(define("two"), 201);
  EXPECT_EQ(accepted(), "False");
  ASSERT_EQ(call("DELETE", str_cat(kDefinitions, "/one.example.com")).code, 200);
  EXPECT_EQ(accepted(), "True");
}

TEST_F(CustomResourcesTest, NumbersBeyondInt64AreFloatsAsInGo) {
  const char* const status = R"({"a":9223372036854775807,"b":9223372036854775808,"c":100000000000000000000,"d":-18446744073709551616,)"
                             R"("e":1e21,"f":0.0000001,"g":123456789012345678901,"h":["1e400\"",12345678901234567890123]})";
  EXPECT_EQ(create("a", R"({"size":"s"})").code, 201);
  const std::string path = str_cat(kWidgets, "/a/status");
  EXPECT_EQ(call("PATCH", path, str_cat(R"({"status":)", status, "}"), kMerge).code, 200);
  EXPECT_EQ(call("GET", path).code, 200);
  const std::string& text = transport_.answers.rbegin()->second.body;
  EXPECT_NE(text.find(R"("status":{"a":9223372036854775807,"b":9223372036854776000,"c":100000000000000000000,)"
                      R"("d":-18446744073709552000,"e":1e+21,"f":1e-7,"g":123456789012345680000,)"
                      R"("h":["1e400\"",1.2345678901234568e+22]})"),
            std::string::npos)
      << text;
}

TEST_F(CustomResourcesTest, MethodsAreRoutedByAHandlerOfTheirOwn) {
  const char* widget = R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"size":"s"}})";
  const std::string unknown_format = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
                                     "application/merge-patch+json, application/apply-patch+yaml";
  EXPECT_EQ(call("POST", str_cat(kWidgets, "/b"), widget).code, 201) << "the name in the path is not looked at";
  EXPECT_EQ(call("GET", str_cat(kWidgets, "/a")).code, 200);
  for (const char* part : {"/a", "/a/scale"})
    for (const char* type : {"application/apply-patch+cbor", "application/strategic-merge-patch+json"}) {
      const Answer refused = call("PATCH", str_cat(kWidgets, part), "{}", type);
      EXPECT_EQ(refused.code, 415);
      EXPECT_EQ(refused.message(), unknown_format);
    }
  EXPECT_EQ(call("PATCH", kWidgets, "{}", kMerge).message(), "name must be provided");
  const Answer refused = call("POST", str_cat(kWidgets, "/a/status"), widget);
  EXPECT_EQ(refused.code, 405);
  EXPECT_EQ(refused.message(), "create is not supported on resources of kind \"widgets.example.com\"");
}

TEST_F(CustomResourcesTest, MetadataIsReadByItself) {
  const auto refusal = [&](const char* metadata, const char* spec = "{}") {
    return call("POST", kWidgets, str_cat(R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":)", metadata, R"(,"spec":)", spec, "}"))
        .message();
  };
  const std::string context = "Widget in version \"v1\" cannot be handled as a Widget: json: cannot unmarshal ";
  EXPECT_EQ(refusal("5"), context + "number into Go value of type v1.ObjectMeta");
  EXPECT_EQ(refusal(R"({"name":"a","labels":[]})"), context + "array into Go struct field ObjectMeta.labels of type map[string]string");
  EXPECT_EQ(refusal(R"({"name":"a","managedFields":[{"manager":1}]})"),
            context + "number into Go struct field ManagedFieldsEntry.managedFields.manager of type string");
  EXPECT_EQ(refusal(R"({"name":"a"})", R"({"size":1e400})"), context + "number 1e400 into Go value of type float64");
}

TEST_F(CustomResourcesTest, FinalizersOfNoDomainAreWarnedOf) {
  ASSERT_EQ(create(R"(a","finalizers":["mine","orphan","example.com/x"],"generateName":")", "{}").code, 201);
  const auto warnings = [&] {
    std::vector<std::string> out;
    for (const auto& [name, value] : transport_.answers.rbegin()->second.headers)
      if (name == "warning") out.push_back(value);
    return out;
  };
  EXPECT_EQ(warnings(), std::vector<std::string>{"299 - \"metadata.finalizers: \\\"mine\\\": prefer a domain-qualified finalizer name to avoid "
                                                 "accidental conflicts with other finalizer writers\""});
  EXPECT_EQ(call("PATCH", str_cat(kWidgets, "/a"), R"({"metadata":{"labels":{"a":"b"}}})", kMerge).code, 200);
  EXPECT_TRUE(warnings().empty()) << "it is not new";
}

/// A kind whose two versions a webhook converts; the first is stored.
class ConvertedWatchTest : public CustomResourcesTest {
 protected:
  ConvertedWatchTest() {
    const std::string definition = R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"gadgets.example.com"},"spec":{"group":"example.com","scope":"Cluster",
      "names":{"plural":"gadgets","kind":"Gadget"},"conversion":{"strategy":"Webhook","webhook":{
      "conversionReviewVersions":["v1"],"clientConfig":{"url":"https://127.0.0.1/convert"}}},"versions":[
      {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
       "properties":{"size":{"type":"integer"}}}}},
      {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object",
       "properties":{"length":{"type":"integer"}}}}}]}})";
    EXPECT_EQ(call("POST", kDefinitions, definition).code, 201);
  }
  static std::string gadget(std::string_view name, int size) {
    return str_cat(R"({"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":")", name, R"("},"size":)", size, "}");
  }
  void make(std::string_view name, int size) {
    EXPECT_EQ(call("POST", "/apis/example.com/v1/gadgets", gadget(name, size)).code, 201);
  }
  /// The webhook converts what it has been asked for first; the number of the objects.
  size_t convert() {
    EXPECT_FALSE(webhooks_.calls.empty());
    const api::Json review = *api::Json::parse(webhooks_.calls.front().second.body);
    const api::Json& request = review["request"];
    EXPECT_EQ(request["desiredAPIVersion"].text(), "example.com/v2");
    std::string converted;
    for (size_t i = 0; i < request["objects"].size(); ++i) {
      api::Json object = request["objects"][i];
      object.set("apiVersion", "example.com/v2");
      object.set("length", object["size"].as_int());
      object.erase("size");
      converted += str_cat(i > 0 ? "," : "", object.dump());
    }
    webhooks_.answer(str_cat(R"({"response":{"uid":")", request["uid"].text(), R"(","result":{"status":"Success"},)",
                             R"("convertedObjects":[)", converted, "]}}"));
    kernel_.run_until(kernel_.now());
    return request["objects"].size();
  }
  /// "ADDED a 1, ...": type, name and length.
  std::string told(uint64_t stream) {
    std::string out;
    std::string_view text = transport_.streams[stream];
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const api::Json event = *api::Json::parse(text.substr(0, end));
      text.remove_prefix(end + 1);
      const api::Json& object = event["object"];
      out += str_cat(out.empty() ? "" : ", ", event["type"].text());
      if (object.find("length")) out += str_cat(" ", object["metadata"]["name"].text(), " ", object["length"].as_int());
      if (object.find("length")) {
        EXPECT_EQ(object["apiVersion"].text(), "example.com/v2");
      }
    }
    return out;
  }
};

constexpr const char* kGadgets2 = "/apis/example.com/v2/gadgets";

TEST_F(ConvertedWatchTest, EventsAreInTheVersionAskedForAndInOrder) {
  make("a", 1);
  make("b", 2);
  const uint64_t first = watch(kGadgets2, "watch=1"), second = watch(kGadgets2, "watch=1");
  make("c", 3);
  EXPECT_EQ(told(first), "");
  EXPECT_EQ(convert(), 1u);  // what came first
  EXPECT_EQ(told(first), "ADDED a 1");
  EXPECT_EQ(call("DELETE", "/apis/example.com/v1/gadgets/b").code, 200);
  EXPECT_EQ(convert(), 3u);  // all that has come since, each once, for both
  EXPECT_EQ(told(first), "ADDED a 1, ADDED b 2, ADDED c 3");
  EXPECT_EQ(told(second), "ADDED a 1, ADDED b 2, ADDED c 3");
  EXPECT_EQ(convert(), 1u);
  EXPECT_EQ(told(first), "ADDED a 1, ADDED b 2, ADDED c 3, DELETED b 2");
  EXPECT_TRUE(webhooks_.calls.empty());
}

TEST_F(ConvertedWatchTest, BookmarksSpeakOnlyOfWhatHasBeenTold) {
  const uint64_t stream = watch(kGadgets2, "watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  EXPECT_EQ(told(stream), "BOOKMARK");
  make("a", 1);
  kernel_.run_until(kernel_.now() + Duration::seconds(61));
  EXPECT_EQ(told(stream), "BOOKMARK, BOOKMARK");
  const std::string& text = transport_.streams[stream];
  const api::Json bookmark = *api::Json::parse(std::string_view(text).substr(text.find('\n') + 1));
  const std::string seen(bookmark["object"]["metadata"]["resourceVersion"].text());
  convert();
  const uint64_t next = watch(kGadgets2, "watch=1&resourceVersion=" + seen);
  convert();
  EXPECT_EQ(told(next), "ADDED a 1");
}

TEST_F(ConvertedWatchTest, AWebhookThatFailsEndsTheWatch) {
  make("a", 1);
  const uint64_t stream = watch(kGadgets2, "watch=1");
  HttpCallOutcome outcome;
  outcome.status = Status(Code::kServiceUnavailable, "connection refused");
  webhooks_.answer(outcome);
  kernel_.run_until(kernel_.now());
  const api::Json event = *api::Json::parse(transport_.streams[stream]);
  EXPECT_EQ(event["type"].text(), "ERROR");
  EXPECT_EQ(event["object"]["reason"].text(), "InternalError");
  EXPECT_EQ(event["object"]["message"].text(),
            "Internal error occurred: conversion webhook for example.com/v1, Kind=Gadget failed: connection refused");
  EXPECT_TRUE(transport_.ended[stream]);
  make("b", 2);
  EXPECT_TRUE(webhooks_.calls.empty());
}

TEST_F(ConvertedWatchTest, PoliciesForAnotherVersionSeeWhatTheWebhookMakesOfTheObject) {
  const std::string admission = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic";
  EXPECT_EQ(call("POST", admission + "ies", R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy",
    "metadata":{"name":"short"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":["example.com"],"apiVersions":["v2"],
    "operations":["CREATE"],"resources":["gadgets"]}]},"validations":[{"expression":"object.length < 5","message":"too long"}]}})").code, 201);
  EXPECT_EQ(call("POST", admission + "ybindings", R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding",
    "metadata":{"name":"short"},"spec":{"policyName":"short","validationActions":["Deny"]}})").code, 201);
  for (const int size : {4, 6}) {
    call("POST", "/apis/example.com/v1/gadgets", gadget(str_cat("g", size), size));
    EXPECT_EQ(convert(), 1u);
    EXPECT_TRUE(webhooks_.calls.empty());
    const HttpResponse& answer = transport_.answers.rbegin()->second;
    EXPECT_EQ(answer.code, size < 5 ? 201 : 422) << answer.body;
  }
  EXPECT_NE(transport_.answers.rbegin()->second.body.find("denied request: too long"), std::string::npos);
}

}  // namespace
}  // namespace orrery::server
