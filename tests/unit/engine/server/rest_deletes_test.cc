#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

constexpr const char* kPods = "/api/v1/namespaces/default/pods";
constexpr const char* kJobs = "/apis/batch/v1/namespaces/default/jobs";
constexpr const char* kEvents = "/apis/events.k8s.io/v1/namespaces/default/events";
constexpr const char* kMergePatch = "application/merge-patch+json";
constexpr const char* kTemplate = R"("template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}})";
constexpr const char* kEvent = R"({"metadata":{"name":"e"},"reason":"r","action":"a","type":"Normal","note":"n","eventTime":"2021-02-03T04:05:06.000000Z",
  "regarding":{"kind":"Pod","namespace":"default","name":"p"},"reportingController":"c.d/e","reportingInstance":"i"})";

size_t warnings_of(const HttpResponse& response) {
  return static_cast<size_t>(std::count_if(response.headers.begin(), response.headers.end(),
                                           [](const auto& header) { return header.first == "warning" || header.first == "Warning"; }));
}

class RestDeletesTest : public RestTest {
 protected:
  RestDeletesTest() { call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})"); }
  std::string finalizers(const std::string& path) { return call("GET", path).body["metadata"]["finalizers"].dump(); }
};

TEST_F(RestDeletesTest, ANameOfWhatIsBeingDeletedIsTakenAsSuch) {
  const std::string body = R"({"metadata":{"name":"m","finalizers":["x.io/a"]}})";
  ASSERT_EQ(call("POST", kMaps, body).code, 201);
  ASSERT_EQ(call("DELETE", str_cat(kMaps, "/m")).code, 200);
  for (const char* query : {"", "?dryRun=All"}) {
    const Answer again = call("POST", str_cat(kMaps, query), body);
    EXPECT_EQ(again.code, 409);
    EXPECT_EQ(again.body["message"].as_string(), "object is being deleted: configmaps \"m\" already exists");
  }
}

TEST_F(RestDeletesTest, WhoFindsANameTakenIsWarnedAllTheSame) {
  const std::string secrets = "/api/v1/namespaces/default/secrets";
  const std::string body = R"({"metadata":{"name":"s"},"type":"kubernetes.io/tls","data":{"tls.crt":"","tls.key":""}})";
  EXPECT_EQ(warnings_of(call("POST", secrets, body).raw), 1u);
  const Answer again = call("POST", secrets, body);
  EXPECT_EQ(again.code, 409);
  EXPECT_EQ(warnings_of(again.raw), 1u);
}

TEST_F(RestDeletesTest, APutThatNamesAUidWantsThatObject) {
  const Answer answer = call("PUT", str_cat(kMaps, "/m"), R"({"metadata":{"name":"m","uid":"u"}})");
  EXPECT_EQ(answer.code, 409);
  EXPECT_EQ(answer.body["message"].as_string(),
            "Operation cannot be fulfilled on configmaps \"m\": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/m, "
            "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: ");
}

TEST_F(RestDeletesTest, EventsAreTheCoreKindAndNothingDependsOnThem) {
  ASSERT_EQ(call("POST", kEvents, kEvent).code, 201);
  const Answer other = call("DELETE", str_cat(kEvents, "/e"), R"({"preconditions":{"uid":"u"}})");
  EXPECT_EQ(other.code, 409);
  EXPECT_EQ(other.body["message"].as_string().view().substr(0, 43), "Operation cannot be fulfilled on Event \"e\":");
  EXPECT_EQ(other.body["details"].find("group"), nullptr);
  EXPECT_EQ(call("DELETE", str_cat(kEvents, "/e"), R"({"propagationPolicy":"Foreground"})").body["status"].as_string(), "Success");
  EXPECT_EQ(call("GET", str_cat(kEvents, "/e")).code, 404);
}

TEST_F(RestDeletesTest, AnEmptyListForgetsTheManagersOfConvertedKindsToo) {
  ASSERT_EQ(call("POST", kEvents, kEvent).code, 201);
  const Answer patched = call("PATCH", str_cat(kEvents, "/e"), R"([{"op":"replace","path":"/metadata/managedFields","value":[]}])",
                              "application/json-patch+json");
  EXPECT_EQ(patched.code, 200);
  EXPECT_EQ(patched.body["metadata"].find("managedFields"), nullptr);
}

TEST_F(RestDeletesTest, WhatGoesAtOnceIsNotAccepted) {
  const std::string drivers = "/apis/storage.k8s.io/v1/csidrivers", options = R"({"orphanDependents":false})";
  call("POST", drivers, R"({"metadata":{"name":"d"},"spec":{}})");
  EXPECT_EQ(call("DELETE", drivers + "/d", options).code, 200);
  call("POST", kMaps, R"({"metadata":{"name":"m","finalizers":["x.io/a"]}})");
  EXPECT_EQ(call("DELETE", str_cat(kMaps, "/m"), options).code, 202);
}

TEST_F(RestDeletesTest, WhoDeletesJobsIsWarnedWhateverBecomesOfIt) {
  EXPECT_EQ(warnings_of(call("DELETE", str_cat(kJobs, "/none")).raw), 1u);
  EXPECT_EQ(warnings_of(call("DELETE", kJobs).raw), 1u);
  EXPECT_EQ(warnings_of(call("DELETE", str_cat(kJobs, "/none"), R"({"propagationPolicy":"Orphan"})").raw), 0u);
}

TEST_F(RestDeletesTest, AFinalizerOfPropagationComesBeforeTheHabitOfTheKind) {
  const std::string controllers = "/api/v1/namespaces/default/replicationcontrollers";
  ASSERT_EQ(call("POST", controllers, str_cat(R"({"metadata":{"name":"r","finalizers":["foregroundDeletion"]},"spec":{)", kTemplate, "}}")).code, 201);
  call("DELETE", controllers + "/r");
  EXPECT_EQ(finalizers(controllers + "/r"), R"(["foregroundDeletion"])");
  call("DELETE", controllers + "/r", R"({"propagationPolicy":"Orphan"})");
  EXPECT_EQ(finalizers(controllers + "/r"), R"(["orphan"])");
}

TEST_F(RestDeletesTest, APodThatIsGoingCanOnlyGoSooner) {
  const std::string pod = str_cat(kPods, "/p");
  ASSERT_EQ(call("POST", kPods, R"({"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})").code, 201);
  call("DELETE", pod, R"({"propagationPolicy":"Foreground","gracePeriodSeconds":20})");
  call("DELETE", pod, R"({"propagationPolicy":"Orphan"})");
  EXPECT_EQ(finalizers(pod), R"(["foregroundDeletion"])");
  call("PATCH", pod + "/status", R"({"status":{"phase":"Succeeded"}})", kMergePatch);
  EXPECT_EQ(call("DELETE", pod).body["metadata"]["deletionGracePeriodSeconds"].as_int(), 20);
  EXPECT_EQ(call("DELETE", pod, R"({"gracePeriodSeconds":5})").body["metadata"]["deletionGracePeriodSeconds"].as_int(), 5);
  call("PATCH", pod, R"({"metadata":{"finalizers":null}})", kMergePatch);
  call("DELETE", pod, R"({"gracePeriodSeconds":0})");
  EXPECT_EQ(call("GET", pod).code, 404);
}

TEST_F(RestDeletesTest, ACollectionIsDeletedInOrderUntilOneStays) {
  const std::string group = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic";
  for (const char* name : {"a", "b", "c"}) call("POST", kMaps, str_cat(R"({"metadata":{"name":")", name, R"("}})"));
  ASSERT_EQ(call("POST", group + "ies", R"({"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[
    {"apiGroups":[""],"apiVersions":["v1"],"operations":["DELETE"],"resources":["configmaps"]}]},
    "validations":[{"expression":"oldObject.metadata.name != 'b'","message":"stays"}]}})").code, 201);
  ASSERT_EQ(call("POST", group + "ybindings", R"({"metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":["Deny"]}})").code, 201);
  EXPECT_EQ(call("DELETE", kMaps).code, 422);
  std::string left;
  const Answer rest = call("GET", kMaps);
  for (const api::Json& item : rest.body["items"].items()) left += item["metadata"]["name"].as_string().view();
  EXPECT_EQ(left, "bc");
}

TEST_F(RestDeletesTest, ANamespaceIsMarkedBeforeItGoes) {
  const std::string spaces = "/api/v1/namespaces", space = spaces + "/n";
  ASSERT_EQ(call("POST", spaces, R"({"metadata":{"name":"n"}})").code, 201);
  EXPECT_EQ(call("DELETE", space).body["status"]["phase"].as_string(), "Terminating");
  EXPECT_TRUE(call("DELETE", space, R"({"propagationPolicy":"Orphan"})").body["metadata"]["finalizers"].is_null());
  EXPECT_EQ(call("PUT", space + "/finalize", R"({"metadata":{"name":"n"},"spec":{"finalizers":[]}})").code, 200);
  EXPECT_EQ(call("GET", space).code, 404);
  ASSERT_EQ(call("POST", spaces, R"({"metadata":{"name":"n"}})").code, 201);
  EXPECT_EQ(call("PUT", space + "/finalize", R"({"metadata":{"name":"n"},"spec":{"finalizers":[]}})").code, 200);
  EXPECT_EQ(call("DELETE", space).body["kind"].as_string(), "Namespace");
  EXPECT_EQ(call("GET", space).code, 200);
  EXPECT_EQ(call("DELETE", space).code, 200);
  EXPECT_EQ(call("GET", space).code, 404);
}

TEST_F(RestDeletesTest, APodOfTheVersionAskedForGoes) {
  const Answer made = call("POST", kPods, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})");
  const auto erase = [&](std::string_view version) {
    return call("DELETE", str_cat(kPods, "/p"), str_cat(R"({"preconditions":{"resourceVersion":")", version, R"("}})")).code;
  };
  EXPECT_EQ(erase("1"), 409);
  EXPECT_EQ(erase(made.body["metadata"]["resourceVersion"].as_string()), 200);
  EXPECT_EQ(call("GET", str_cat(kPods, "/p")).code, 404);
}

TEST_F(RestDeletesTest, APodThatIsGoingIsMarkedAsEvictedToo) {
  ASSERT_EQ(call("POST", kPods, R"({"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})").code, 201);
  call("DELETE", str_cat(kPods, "/p"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(call("POST", str_cat(kPods, "/p/eviction"), R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}})").code, 201);
    const Answer pod = call("GET", str_cat(kPods, "/p"));
    EXPECT_EQ(pod.body["status"]["conditions"].size(), 1u);
    EXPECT_EQ(pod.body["metadata"]["deletionGracePeriodSeconds"].as_int(), 30);
  }
}

TEST_F(RestDeletesTest, StatusKeepsTheTemplateGenerationOfADaemonSet) {
  const std::string sets = "/apis/apps/v1/namespaces/default/daemonsets";
  ASSERT_EQ(call("POST", sets, str_cat(R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},)", kTemplate, "}}")).code, 201);
  const Answer patched = call("PATCH", sets + "/d/status", R"({"metadata":{"annotations":null}})", kMergePatch);
  EXPECT_EQ(patched.body["metadata"]["annotations"].dump(), R"({"deprecated.daemonset.template.generation":"1"})");
}

}  // namespace
}  // namespace orrery::server
