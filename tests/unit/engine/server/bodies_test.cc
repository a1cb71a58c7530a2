// How bodies are read: numbers that Go takes for no integers, options of deletes, what is empty.
#include "engine/api/codec_proto.h"
#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

const char* const kMaps = "/api/v1/namespaces/default/configmaps";
const char* const kPods = "/api/v1/namespaces/default/pods?dryRun=All";

std::string pod_with(std::string_view field) {
  return str_cat(R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}],)", field, "}}");
}

std::string message(const api::Json& body) { return body["message"].as_string().str(); }

TEST_F(RestTest, AFractionOrAnExponentMakesNoIntegerInJson) {
  for (const char* number : {"1.0", "1e3", "-0.0", "99999999999999999999", "1e400"}) {
    const Answer answer = call("POST", kPods, pod_with(str_cat(R"("activeDeadlineSeconds":)", number)));
    EXPECT_EQ(answer.code, 400);
    EXPECT_EQ(message(answer.body), str_cat("Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number ", number,
                                            " into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64"));
  }
}

TEST_F(RestTest, YamlHasIntegersOfAllForms) {
  for (const char* number : {"10.0", "1e1", "1_0", "0xA", "0b1010", "1e-400"}) {
    const Answer answer = call("POST", kPods, pod_with(str_cat(R"("activeDeadlineSeconds": )", number)), "application/yaml");
    EXPECT_EQ(answer.code, 403) << number;  // what comes after reading: there is no such account
  }
}

TEST_F(RestTest, ANumberThatNoFloatHoldsIsRefusedWhereItIsRead) {
  EXPECT_EQ(call("POST", kMaps, R"({"metadata":{"name":"a"},"data":{"b":"c"},"other":1e400})").code, 201);
  const char* json_patch = "application/json-patch+json";
  EXPECT_EQ(message(call("PATCH", str_cat(kMaps, "/a"), R"([{"op":"add","path":"/data/d","value":[1e400]}])", json_patch).body),
            "error decoding patch: json: cannot unmarshal number 1e400 into Go struct field jsonPatchOp.value of type float64");
  EXPECT_EQ(message(call("PATCH", str_cat(kMaps, "/a"), R"({"data":{"d":1e400}})", "application/merge-patch+json").body),
            "error decoding patch: json: cannot unmarshal number 1e400 into Go value of type float64");
  const auto definition = [&](const char* schema) {
    const Answer answer = call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                               str_cat(R"({"metadata":{"name":"as.b.c"},"spec":{"versions":[{"schema":{"openAPIV3Schema":)", schema, "}}]}}"));
    return message(answer.body);
  };
  const std::string context = "CustomResourceDefinition in version \"v1\" cannot be handled as a CustomResourceDefinition: json: cannot unmarshal number 1e400 ";
  EXPECT_EQ(definition(R"({"maximum":1e400})"), context + "into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.maximum of type float64");
  EXPECT_EQ(definition(R"({"default":{"a":[1e400]}})"), context + "into Go value of type float64");
}

TEST_F(RestTest, PartsOfSchemasThatReadThemselvesAreReadAsUpstreamReadsThem) {
  const auto refusal = [&](const char* schema) {
    const Answer answer = call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                               str_cat(R"({"metadata":{"name":"as.b.c"},"spec":{"versions":[{"schema":{"openAPIV3Schema":)", schema, "}}]}}"));
    return message(answer.body);
  };
  const std::string context = "CustomResourceDefinition in version \"v1\" cannot be handled as a CustomResourceDefinition: ";
  const std::string place = "json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.";
  EXPECT_EQ(refusal(R"({"items":{"items":{"type":5}}})"), context + place + "items of type string");
  EXPECT_EQ(refusal(R"({"dependencies":{"a":[5]}})"), context + place + "dependencies of type string");
  EXPECT_EQ(refusal(R"({"additionalProperties":5})"), context + "boolean or JSON schema expected");
  EXPECT_EQ(refusal(R"({"items":5})").find("cannot be handled"), std::string::npos) << "what is neither is nothing";
  EXPECT_EQ(call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldValidation=Strict",
                 R"({"metadata":{"name":"as.b.c"},"spec":{"versions":[{"schema":{"openAPIV3Schema":{"items":{"unknown":1}}}}]}})").code, 422)
      << "unknown fields below are not looked for";
}

TEST_F(RestTest, ANumberOfARepeatedMemberCountsEachTime) {
  const Answer answer = call("POST", kPods, pod_with(R"("priority":1.0,"priority":1)"));
  EXPECT_EQ(answer.code, 400);
  EXPECT_NE(message(answer.body).find("number 1.0 into Go struct field PodSpec.spec.priority of type int32"), std::string::npos);
}

TEST_F(RestTest, PatchesKeepNumbersAsTheyWereWritten) {
  const std::string job = "/apis/batch/v1/namespaces/default/jobs";
  ASSERT_EQ(call("POST", job, R"({"metadata":{"name":"j"},"spec":{"suspend":true,"template":{"spec":{"restartPolicy":"Never",
                                 "containers":[{"name":"c","image":"i"}]}}}})").code, 201);
  const Answer merged = call("PATCH", job + "/j", R"({"spec":{"parallelism":2.0}})", "application/merge-patch+json");
  EXPECT_EQ(merged.code, 422);
  EXPECT_NE(message(merged.body).find(R"(\"parallelism\":2.0)"), std::string::npos) << message(merged.body);
  EXPECT_NE(message(merged.body).find("cannot unmarshal number 2.0"), std::string::npos);
  EXPECT_EQ(call("PATCH", job + "/j", R"({"spec":{"parallelism":2.0}})", "application/strategic-merge-patch+json").code, 200);
  const Answer applied = call("PATCH", job + "/j?fieldManager=m&force=true", R"({"apiVersion":"batch/v1","kind":"Job","spec":{"parallelism":1.5}})",
                              "application/apply-patch+yaml");
  EXPECT_EQ(applied.code, 500);
  EXPECT_EQ(message(applied.body), "failed to convert new object (/; batch/v1, Kind=Job) to proper version: unable to convert unstructured "
                                   "object to batch/v1, Kind=Job: cannot convert float64 to int32");
}

TEST_F(RestTest, OptionsOfADeleteThatCannotBeReadAreAnErrorWithoutAReason) {
  struct Case {
    const char* body;
    const char* why;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"{", "couldn't get version/kind; json parse error: unexpected end of JSON input"},
           {R"({"gracePeriodSeconds":1.0})", "json: cannot unmarshal number 1.0 into Go struct field DeleteOptions.gracePeriodSeconds of type int64"},
           {R"({"kind":"ConfigMap","apiVersion":"v1"})", R"(no kind "ConfigMap" is registered for version "v1" in scheme "pkg/apis/meta/internalversion/scheme/register.go:27")"},
           {R"({"kind":"Status","apiVersion":"v1"})", "converting (v1.Status) to (v1.DeleteOptions): unknown conversion"},
           {R"({"apiVersion":"a/b/c"})", "unexpected GroupVersion string: a/b/c"}}) {
    const Answer answer = call("DELETE", str_cat(kMaps, "/a"), c.body);
    EXPECT_EQ(answer.code, 500);
    EXPECT_EQ(message(answer.body), c.why);
    EXPECT_TRUE(answer.body["reason"].is_null());
  }
}

TEST_F(RestTest, OptionsOfADeleteBelongToEveryVersionInProtobufToo) {
  metav1::DeleteOptions options;
  options.api_version = "apps/v1";
  options.kind = "DeleteOptions";
  options.preconditions.mut().uid = Str("another");
  const auto remove = [&] {
    const std::string body = api::encode_proto(api::Object::of(options));
    return call("DELETE", std::string(kMaps) + "/a", body, "application/vnd.kubernetes.protobuf");
  };
  call("POST", kMaps, R"({"metadata":{"name":"a"}})");
  EXPECT_EQ(remove().code, 409);
  options.preconditions = {};
  const Answer gone = remove();
  EXPECT_EQ(gone.code, 200) << gone.raw.body;
  EXPECT_EQ(gone.body["status"].as_string(), "Success") << gone.raw.body;
}

TEST_F(RestTest, OptionsOfADeleteBelongToEveryVersion) {
  for (const char* body : {R"({"kind":"DeleteOptions","apiVersion":"apps/v1"})", R"({"apiVersion":"nope/v9","unknown":1})", R"({"kind":"DeleteOptions"})"})
    EXPECT_EQ(call("DELETE", str_cat(kMaps, "/a"), body).code, 404) << body;
  EXPECT_EQ(call("DELETE", str_cat(kMaps, "/a?gracePeriodSeconds=")).code, 400);
}

TEST_F(RestTest, ADeleteOfACollectionChecksItsOptions) {
  EXPECT_EQ(call("DELETE", str_cat(kMaps, "?labelSelector=a"), R"({"propagationPolicy":"Bad"})").code, 422);
  EXPECT_EQ(call("DELETE", str_cat(kMaps, "?gracePeriodSeconds=1e3")).code, 400);
}

TEST_F(RestTest, BindingsAndEvictionsSayTheirName) {
  for (const char* subresource : {"binding", "eviction"}) {
    const Answer answer = call("POST", str_cat("/api/v1/namespaces/default/pods/a/", subresource), "{}");
    EXPECT_EQ(answer.code, 400);
    EXPECT_TRUE(message(answer.body).starts_with("name in URL does not match name in "));
  }
}

TEST_F(RestTest, NobodyManagesAnObjectWithItemsThatLackTheirKeys) {
  const std::string accounts = "/api/v1/namespaces/default/serviceaccounts";
  const Answer keyless = call("POST", accounts, R"({"metadata":{"name":"a"},"secrets":[{}]})");
  EXPECT_EQ(keyless.code, 201);
  EXPECT_TRUE(keyless.body["metadata"]["managedFields"].is_null());
  call("POST", accounts, R"({"metadata":{"name":"default"}})");
  const Answer pod = call("PATCH", "/api/v1/namespaces/default/pods/p?fieldManager=m", R"({"apiVersion":"v1","kind":"Pod",
    "metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}],"imagePullSecrets":[{}]}})", "application/apply-patch+yaml");
  EXPECT_EQ(pod.code, 201) << pod.raw.body;
  const api::Json& fields = pod.body["metadata"]["managedFields"].items().at(0)["fieldsV1"]["f:spec"]["f:imagePullSecrets"];
  EXPECT_NE(fields.find(R"(k:{"name":""})"), nullptr) << fields.dump();
}

TEST_F(RestTest, OperationsOfAJsonPatchAreReadStrictly) {
  const std::string map = str_cat(kMaps, "/a"), type = "application/json-patch+json";
  ASSERT_EQ(call("POST", kMaps, R"({"metadata":{"name":"a"}})").code, 201);
  EXPECT_EQ(message(call("PATCH", map, "{}", type).body), "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
  EXPECT_EQ(message(call("PATCH", map, R"([{"op":"add","path":1}])", type).body),
            "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.path of type string");
  EXPECT_EQ(message(call("PATCH", map + "?fieldValidation=Ignore", "{}", type).body), "json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  const std::string odd = R"([{"op":"add","path":"/data","value":{},"value":{"x":"y"},"foo":1}])";
  const auto warnings = [](const Answer& answer) {
    return std::count_if(answer.raw.headers.begin(), answer.raw.headers.end(), [](const auto& header) { return header.first == "warning"; });
  };
  EXPECT_EQ(warnings(call("PATCH", map, odd, type)), 2);
  const Answer strict = call("PATCH", map + "?fieldValidation=Strict", odd, type);
  EXPECT_EQ(strict.code, 422);
  EXPECT_NE(message(strict.body).find(R"(json patch unknown field "[0].foo")"), std::string::npos) << message(strict.body);
}

TEST_F(RestTest, DryRunsEndBeforeTheStore) {
  ASSERT_EQ(call("POST", kMaps, R"({"metadata":{"name":"a"}})").code, 201);
  const Answer made = call("POST", str_cat(kMaps, "?dryRun=All"), R"({"metadata":{"name":"b","resourceVersion":"7"}})");
  EXPECT_EQ(made.body["metadata"]["resourceVersion"].as_string(), "7");
  const Answer other = call("PUT", str_cat(kMaps, "/a?dryRun=All"), R"({"metadata":{"name":"a","uid":"x"}})");
  EXPECT_EQ(other.code, 409);
  EXPECT_NE(message(other.body).find("Key: /configmaps/default/a,"), std::string::npos) << message(other.body);
}

// What is stored has no empty maps, so one that is sent is a change where upstream compares with reflect.
TEST_F(RestTest, AnEmptyMapThatIsSentIsNotTheOneThatIsStored) {
  ASSERT_EQ(call("POST", kMaps, R"({"metadata":{"name":"a"},"immutable":true,"binaryData":{}})").code, 201);
  EXPECT_EQ(call("PUT", str_cat(kMaps, "/a"), R"({"metadata":{"name":"a"},"immutable":true,"data":{}})").code, 200);
  EXPECT_EQ(call("PUT", str_cat(kMaps, "/a"), R"({"metadata":{"name":"a"},"immutable":true,"binaryData":{}})").code, 422);
  const std::string policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
  const char* const open = R"({"metadata":{"name":"a"},"spec":{"podSelector":{},"ingress":[]}})";
  ASSERT_EQ(call("POST", policies, open).code, 201);
  EXPECT_EQ(call("PUT", policies + "/a", open).body["metadata"]["generation"].as_int(), 2);
  EXPECT_EQ(call("PUT", policies + "/a", R"({"metadata":{"name":"a"},"spec":{"podSelector":{}}})").body["metadata"]["generation"].as_int(), 2);
}

}  // namespace
}  // namespace orrery::server
