// Parts of objects: scales, bindings, evictions and the like.
#include "engine/server/rest/encode.h"
#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

TEST_F(RestTest, ScaleSubresourceChangesReplicas) {
  const std::string body = R"({"metadata":{"name":"d"},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})";
  const std::string path = "/apis/apps/v1/namespaces/default/deployments";
  ASSERT_EQ(call("POST", path, body).code, 201);
  const Answer scaled = call("PATCH", path + "/d/scale", R"({"spec":{"replicas":3}})", "application/merge-patch+json");
  ASSERT_EQ(scaled.code, 200) << scaled.raw.body;
  EXPECT_EQ(scaled.body["kind"].as_string(), "Scale");
  EXPECT_EQ(call("GET", path + "/d").body["spec"]["replicas"].as_int(), 3);
}

TEST_F(RestTest, AScaleIsMissedUnderTheNameThatItsKindGivesIt) {
  const auto missing = [&](std::string_view method, std::string_view path, std::string_view body = "") {
    return call(std::string(method), str_cat(path, "/none/scale"), std::string(body), "application/json").body["message"].as_string().str();
  };
  const std::string apps = "/apis/apps/v1/namespaces/default/", scale = R"({"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"none"}})";
  EXPECT_EQ(missing("GET", apps + "deployments"), "deployments/scale.apps \"none\" not found");
  EXPECT_EQ(missing("GET", apps + "statefulsets"), "statefulsets.apps \"none\" not found");
  EXPECT_EQ(missing("GET", "/api/v1/namespaces/default/replicationcontrollers"), "replicationcontrollers/scale.autoscaling \"none\" not found");
  EXPECT_EQ(missing("PUT", apps + "deployments", scale), "deployments.apps \"none\" not found");
}

TEST_F(RestTest, ABindingIsCheckedBeforeItsPodIsLookedFor) {
  const std::string pods = "/api/v1/namespaces/default/pods", bindings = "/api/v1/namespaces/default/bindings";
  const auto bind = [&](const std::string& path, std::string_view more, std::string_view node) {
    return call("POST", path, str_cat(R"({"metadata":{"name":"p")", more, R"(},"target":{"name":")", node, R"("}})"));
  };
  EXPECT_EQ(bind(pods + "/p/binding", "", "").body["message"].as_string(), "target.name: Required value");
  EXPECT_EQ(bind(pods + "/p/binding", "", "n").code, 404);
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})").code, 201);
  ASSERT_EQ(call("POST", pods, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})").code, 201);
  const Answer stale = bind(bindings, R"(,"resourceVersion":"1")", "n");
  EXPECT_EQ(stale.code, 409);
  EXPECT_NE(stale.body["message"].as_string().view().find("Code: 4, Key: /registry/pods/default/p, ResourceVersion: 0, AdditionalErrorMsg: "
                                                         "Precondition failed: ResourceVersion in precondition: 1, "), std::string_view::npos);
  const Answer other = bind(pods + "/p/binding", R"(,"uid":"u")", "n");
  EXPECT_EQ(other.code, 409);
  EXPECT_EQ(other.body["details"]["kind"].as_string(), "pods");
  EXPECT_EQ(bind(bindings, R"(,"uid":"u")", "n").code, 201);
}

TEST_F(RestTest, EphemeralContainersAreNobodysFields) {
  const std::string pods = "/api/v1/namespaces/default/pods";
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})").code, 201);
  ASSERT_EQ(call("POST", pods, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})").code, 201);
  const Answer applied = call("PATCH", pods + "/p/ephemeralcontainers?fieldManager=m",
                              R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"ephemeralContainers":[{"name":"e","image":"i"}]}})",
                              "application/apply-patch+yaml");
  ASSERT_EQ(applied.code, 200) << applied.raw.body;
  EXPECT_EQ(applied.body["spec"]["ephemeralContainers"].size(), 1u);
  EXPECT_EQ(applied.body["metadata"]["managedFields"].size(), 1u);
}

TEST_F(RestTest, AScaleIsCheckedBeforeItsVersion) {
  const std::string path = "/apis/apps/v1/namespaces/default/replicasets";
  ASSERT_EQ(call("POST", path, R"({"metadata":{"name":"r"},"spec":{"selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})").code, 201);
  const auto patch = [&](std::string_view body) { return call("PATCH", path + "/r/scale", std::string(body), "application/merge-patch+json"); };
  EXPECT_EQ(patch(R"({"metadata":{"resourceVersion":"1"},"spec":{"replicas":-1}})").code, 422);
  EXPECT_EQ(patch(R"({"metadata":{"resourceVersion":"1"},"spec":{"replicas":1}})").code, 409);
  EXPECT_EQ(patch(R"({"metadata":{"uid":"u"},"spec":{"replicas":-1}})").code, 422);
  EXPECT_EQ(patch(R"({"metadata":{"uid":"u"},"spec":{"replicas":1}})").body["details"]["kind"].as_string(), "replicasets/scale");
}

TEST_F(RestTest, AnEvictionChargesTheBudgetAlsoIfThePodThenStays) {
  const std::string pods = "/api/v1/namespaces/default/pods", budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
  const char* merge = "application/merge-patch+json";
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})").code, 201);
  ASSERT_EQ(call("POST", pods, R"({"metadata":{"name":"p","labels":{"a":"b"}},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})").code, 201);
  call("PATCH", pods + "/p/status", R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}})", merge);
  call("POST", budgets, R"({"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"a":"b"}}}})");
  const std::string allowed = R"({"status":{"observedGeneration":1,"disruptionsAllowed":1,"currentHealthy":2,"desiredHealthy":1,"expectedPods":2}})";
  ASSERT_EQ(call("PATCH", budgets + "/b/status", allowed, merge).code, 200);
  const std::string eviction = R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"})";
  EXPECT_EQ(call("POST", pods + "/p/eviction", eviction + R"(,"deleteOptions":{"preconditions":{"uid":"x"}}})").code, 409);
  const Answer charged = call("GET", budgets + "/b");
  EXPECT_EQ(charged.body["status"]["disruptionsAllowed"].as_int(), 0);
  EXPECT_EQ(charged.body["status"]["conditions"].items().at(0)["reason"].as_string(), "InsufficientPods");
  EXPECT_EQ(call("POST", pods + "/p/eviction", eviction + "}").code, 429);
  call("PATCH", budgets + "/b/status", allowed, merge);
  EXPECT_EQ(call("POST", pods + "/p/eviction", eviction + R"(,"deleteOptions":{"gracePeriodSeconds":5}})").code, 201);
  const Answer going = call("GET", pods + "/p");
  EXPECT_TRUE(going.body["metadata"]["deletionTimestamp"].is_string());
  EXPECT_EQ(going.body["status"]["conditions"].items().back()["type"].as_string(), "DisruptionTarget");
}

TEST_F(RestTest, AnEvictionMarksThePodWhateverItsEmptyPreconditionsThenSay) {
  const std::string pod = "/api/v1/namespaces/default/pods/p";
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})").code, 201);
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})").code, 201);
  const auto evict = [&](const char* preconditions) {
    return call("POST", pod + "/eviction", str_cat(R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"preconditions":)",
                                                   preconditions, "}}"));
  };
  EXPECT_EQ(evict(R"({"uid":""})").code, 409);
  EXPECT_EQ(call("GET", pod).body["status"]["conditions"].items().back()["type"].as_string(), "DisruptionTarget");
  EXPECT_EQ(evict(R"({"resourceVersion":""})").code, 201);
}

TEST_F(RestTest, PoliciesAreAskedAboutBindingsToo) {
  const std::string group = "/apis/admissionregistration.k8s.io/v1/";
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})").code, 201);
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})").code, 201);
  ASSERT_EQ(call("POST", group + "validatingadmissionpolicies", R"({"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[
    {"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods/binding"]}]},
    "validations":[{"expression":"object.target.name != 'bad'","message":"not there"}]}})").code, 201);
  ASSERT_EQ(call("POST", group + "validatingadmissionpolicybindings",
                 R"({"metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":["Deny"]}})").code, 201);
  const auto bind = [&](std::string_view node) {
    return call("POST", "/api/v1/namespaces/default/pods/p/binding",
                str_cat(R"({"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":")", node, R"("}})"));
  };
  EXPECT_EQ(bind("bad").body["message"].as_string(),
            "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: not there");
  EXPECT_EQ(bind("good").code, 201);
}

TEST_F(RestTest, PartsOfResourcesAreTablesAndMetadataToo) {
  const std::string jobs = "/apis/batch/v1/namespaces/default/jobs";
  ASSERT_EQ(call("POST", jobs, R"({"metadata":{"name":"j"},"spec":{"suspend":true,"template":{"spec":{"restartPolicy":"Never",
                                  "containers":[{"name":"c","image":"i"}]}}}})").code, 201);
  const auto patch_as = [&](const char* form, const std::string& path) {
    const uint64_t exchange = send("PATCH", path, "{}", "application/merge-patch+json", "root",
                                   {{"accept", str_cat("application/json;as=", form, ";g=meta.k8s.io;v=v1")}});
    return transport_.answers[exchange];
  };
  EXPECT_NE(patch_as("Table", jobs + "/j/status").body.find("columnDefinitions"), std::string::npos);
  EXPECT_EQ(patch_as("PartialObjectMetadata", jobs + "/j/status").code, 200);
  EXPECT_EQ(patch_as("PartialObjectMetadataList", jobs + "/nope").code, 404);
  EXPECT_NE(patch_as("PartialObjectMetadataList", jobs + "/j").body.find("(*batch.Job)"), std::string::npos);
}

}  // namespace
}  // namespace orrery::server
