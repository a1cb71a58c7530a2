#include "engine/server/rest/encode.h"
#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

TEST_F(RestTest, MakesSystemObjectsBeforeItTakesRequests) {
  EXPECT_TRUE(transport_.subscribed());
  EXPECT_EQ(call("GET", "/api/v1/namespaces/kube-system").code, 200);
  const Answer service = call("GET", "/api/v1/namespaces/default/services/kubernetes");
  EXPECT_EQ(service.body["spec"]["clusterIP"].as_string(), "10.96.0.1");
}

TEST_F(RestTest, CreatedObjectComesBackWithVersionAndManager) {
  const Answer made = call("POST", kMaps, R"({"metadata":{"name":"a"},"data":{"k":"v"}})");
  ASSERT_EQ(made.code, 201) << made.raw.body;
  EXPECT_EQ(made.body["kind"].as_string(), "ConfigMap");
  EXPECT_EQ(made.body["metadata"]["managedFields"].items().at(0)["manager"].as_string(), "test");
  const Answer found = call("GET", std::string(kMaps) + "/a");
  EXPECT_EQ(found.body, made.body);
}

TEST_F(RestTest, RefusesWhoIsNotKnownAndWhoMayNot) {
  EXPECT_EQ(call("GET", kMaps, "", "", "wrong").code, 401);
  const Answer refused = call("GET", kMaps, "", "", "guest");
  EXPECT_EQ(refused.code, 403);
  EXPECT_EQ(refused.body["message"].as_string(),
            "configmaps is forbidden: User \"guest\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\"");
}

TEST_F(RestTest, ASpaceBeforeATokenIsWarnedOf) {
  const auto warned = [&](const char* token) {
    const Answer answer = call("GET", kMaps, "", "", token);
    return std::count_if(answer.raw.headers.begin(), answer.raw.headers.end(), [](const auto& header) {
      return (header.first == "warning" || header.first == "Warning") && header.second.find("extra space before the bearer token") != std::string::npos;
    });
  };
  EXPECT_EQ(warned(" x"), 1);
  EXPECT_EQ(warned("x"), 0);
}

TEST_F(RestTest, NothingIsCreatedInANamespaceThatIsNotThere) {
  const Answer refused = call("POST", "/api/v1/namespaces/nowhere/configmaps", R"({"metadata":{"name":"a"}})");
  EXPECT_EQ(refused.code, 404);
  EXPECT_EQ(refused.body["message"].as_string(), "namespaces \"nowhere\" not found");
}

TEST_F(RestTest, KubeletsAreCalledAtTheBestAddressAndPortOfTheirNode) {
  call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  call("POST", "/api/v1/nodes", R"({"metadata":{"name":"n"},"status":{"addresses":[{"type":"InternalIP","address":"10.1.1.1"},
    {"type":"InternalDNS","address":"n.internal"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":1234}}}})");
  const Answer pod = call("POST", "/api/v1/namespaces/default/pods",
                          R"({"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})");
  ASSERT_EQ(pod.code, 201) << pod.raw.body;
  const uint64_t log = send("GET", "/api/v1/namespaces/default/pods/p/log?tailLines=3&sinceTime=2026-01-02T03:04:05Z");
  const HttpForward& to = transport_.forwards[log];
  EXPECT_EQ(to.host, "n.internal");
  EXPECT_EQ(to.port, 1234);
  EXPECT_EQ(to.target, "/containerLogs/default/p/c?sinceTime=2026-01-02T03%3A04%3A05Z&tailLines=3");
  EXPECT_EQ(to.peer, HttpForward::Peer::kKubelet);
  HttpForwardOutcome outcome;
  outcome.status = Status(Code::kTimeout, "dial tcp 10.1.1.1:1234: i/o timeout");
  transport_.end_forward(log, outcome);
  kernel_.run_until(kernel_.now());
  EXPECT_EQ(transport_.answers[log].code, 500);
  EXPECT_NE(transport_.answers[log].body.find("i/o timeout"), std::string::npos);
}

TEST_F(RestTest, ApplyMakesAndThenConflicts) {
  const std::string mine = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"s"},"data":{"k":"1"}})";
  const std::string theirs = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"s"},"data":{"k":"2"}})";
  const std::string path = std::string(kMaps) + "/s?fieldManager=";
  EXPECT_EQ(call("PATCH", path + "one", mine, "application/apply-patch+yaml").code, 201);
  const Answer conflict = call("PATCH", path + "two", theirs, "application/apply-patch+yaml");
  EXPECT_EQ(conflict.code, 409);
  EXPECT_EQ(conflict.body["details"]["causes"].items().at(0)["reason"].as_string(), "FieldManagerConflict");
  EXPECT_EQ(call("PATCH", path + "two&force=true", theirs, "application/apply-patch+yaml").code, 200);
}

TEST_F(RestTest, AnApplyTakesBackWhatItAppliedInAnotherVersion) {
  const auto apply = [&](std::string_view version, std::string_view more) {
    return call("PATCH", str_cat("/apis/autoscaling/", version, "/namespaces/default/horizontalpodautoscalers/h?fieldManager=m"),
                str_cat(R"({"apiVersion":"autoscaling/)", version, R"(","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":5,)",
                        R"("scaleTargetRef":{"kind":"D","name":"d"})", more, "}}"), "application/apply-patch+yaml");
  };
  EXPECT_EQ(apply("v2", R"(,"minReplicas":2)").body["spec"]["minReplicas"].as_int(), 2);
  EXPECT_EQ(apply("v1", "").body["spec"]["minReplicas"].as_int(), 1);
  EXPECT_EQ(apply("v1", R"(,"minReplicas":3)").body["spec"]["minReplicas"].as_int(), 3);
  EXPECT_EQ(apply("v2", "").body["spec"]["minReplicas"].as_int(), 1);
}

TEST_F(RestTest, WhatAProxyMissesIsNamedInTheDetails) {
  call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  call("POST", "/api/v1/namespaces/default/services", R"({"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}})");
  call("POST", "/api/v1/namespaces/default/pods", R"({"metadata":{"name":"p"},"spec":{"nodeName":"gone","containers":[{"name":"c","image":"i"}]}})");
  const std::string ns = "/api/v1/namespaces/default/";
  const auto missing = [&](const std::string& path) {
    const Answer answer = call("GET", path);
    EXPECT_EQ(answer.code, 404) << answer.raw.body;
    return str_cat(answer.body["details"]["kind"].as_string(), " ", answer.body["details"]["name"].as_string());
  };
  EXPECT_EQ(missing(ns + "pods/https:none:80/proxy/x"), "pods none");
  EXPECT_EQ(missing(ns + "services/none:80/proxy/"), "services none");
  EXPECT_EQ(missing(ns + "services/s:80/proxy/"), "services s");  // its endpoints, but the request names services
  EXPECT_EQ(missing("/api/v1/nodes/none:10250/proxy/"), "nodes none");
  EXPECT_EQ(missing(ns + "pods/p/log"), "nodes gone");
}

TEST_F(RestTest, HealthIsAskedOfTheStoreAndToldByCheck) {
  EXPECT_EQ(call("GET", "/readyz").raw.body, "ok");
  const std::string all = call("GET", "/readyz?verbose").raw.body;
  EXPECT_TRUE(all.starts_with("[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\n")) << all;
  EXPECT_TRUE(all.ends_with("[+]shutdown ok\nreadyz check passed\n")) << all;
  EXPECT_EQ(call("GET", "/livez?verbose").raw.body.find("shutdown"), std::string::npos);
  EXPECT_EQ(call("GET", "/livez/poststarthook/rbac/bootstrap-roles").raw.body, "ok");
  EXPECT_EQ(call("GET", "/livez/informer-sync").code, 404);
  const auto fail = [&] { store_.fail_next(1, Status(Code::kServiceUnavailable, "gone")); };
  fail();
  const Answer down = call("GET", "/livez");
  EXPECT_EQ(down.code, 500);
  EXPECT_NE(down.raw.body.find("[-]etcd failed: reason withheld\n"), std::string::npos);
  EXPECT_TRUE(down.raw.body.ends_with("livez check failed\n"));
  fail();
  EXPECT_EQ(call("GET", "/healthz/etcd").raw.body, "internal server error: etcd failed: reason withheld\n");
  fail();
  const Answer without = call("GET", "/livez?exclude=etcd&exclude=nonsense&verbose");
  EXPECT_EQ(without.code, 200);
  EXPECT_NE(without.raw.body.find("[+]etcd excluded: ok\n"), std::string::npos);
  EXPECT_NE(without.raw.body.find("warn: some health checks cannot be excluded: no matches for \"nonsense\"\n"), std::string::npos);
}

TEST_F(RestTest, MetricsHaveUpstreamsNames) {
  send("GET", std::string(kMaps) + "?watch=1");
  call("POST", kMaps, R"({"metadata":{"name":"m"}})");
  const std::string text = call("GET", "/metrics").raw.body;
  for (const char* line :
       {"apiserver_request_total{code=\"201\",component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"configmaps\",scope=\"resource\",subresource=\"\",verb=\"POST\",version=\"v1\"} 1\n",
        "apiserver_request_duration_seconds_bucket{component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"configmaps\",scope=\"resource\",subresource=\"\",verb=\"POST\",version=\"v1\",le=\"0.005\"} 1\n",
        "apiserver_current_inflight_requests{request_kind=\"readOnly\"} 1\n", "apiserver_current_inflight_requests{request_kind=\"mutating\"} 0\n",
        "apiserver_registered_watchers{group=\"\",kind=\"ConfigMap\",version=\"v1\"} 1\n", "apiserver_watch_events_total{group=\"\",kind=\"ConfigMap\",version=\"v1\"} 1\n",
        "apiserver_longrunning_requests{component=\"apiserver\",group=\"\",resource=\"configmaps\",scope=\"namespace\",subresource=\"\",verb=\"WATCH\",version=\"v1\"} 1\n",
        "etcd_request_duration_seconds_count{operation=\"create\",type=\"configmaps\"} 1\n", "apiserver_storage_objects{resource=\"configmaps\"} 1\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text.substr(0, 3000);
}

TEST_F(RestTest, APutThatNamesTheUidOfWhatIsNotThereConflicts) {
  const std::string why = ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ";
  const std::string context = "Operation cannot be fulfilled on configmaps \"c\": StorageError: invalid object, Code: 4, Key: ";
  const char* map = R"({"metadata":{"name":"c","uid":"x"}})";
  EXPECT_EQ(call("PUT", str_cat(kMaps, "/c"), map).body["message"].as_string().str(), context + "/registry/configmaps/default/c" + why);
  const Answer dry = call("PUT", str_cat(kMaps, "/c?dryRun=All"), map);
  EXPECT_EQ(dry.code, 409);
  EXPECT_EQ(dry.body["message"].as_string().str(), context + "/configmaps/default/c" + why);
  EXPECT_EQ(call("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/c", map).code, 409) << "also where a PUT creates";
}

TEST_F(RestTest, AServiceOfAnotherNameHasTheAddressesThatItNames) {
  const std::string services = "/api/v1/namespaces/default/services";
  ASSERT_EQ(call("POST", services, R"({"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}})").code, 201);
  const Answer named = call("PUT", services + "/s", R"({"metadata":{"name":"s"},"spec":{"type":"ExternalName","externalName":"a.b","clusterIP":"None"}})");
  ASSERT_EQ(named.code, 200) << named.raw.body;
  EXPECT_EQ(named.body["spec"]["clusterIPs"].dump(), "[\"None\"]");
  EXPECT_EQ(call("GET", services + "/s").body["spec"]["clusterIPs"].dump(), "[\"None\"]");
}

TEST_F(RestTest, AReviewIsNoList) {
  const uint64_t exchange = send("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                                 R"({"spec":{"user":"a","nonResourceAttributes":{"path":"/","verb":"get"}}})", "", "root",
                                 {{"accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}});
  EXPECT_EQ(transport_.answers[exchange].code, 406);
  EXPECT_NE(transport_.answers[exchange].body.find("the requested object is not a list (*authorization.SubjectAccessReview)"), std::string::npos);
}

TEST_F(RestTest, EmptyPreconditionsOfADeleteHoldForNothing) {
  const auto remove = [&](const std::string& path, const char* preconditions) {
    return call("DELETE", path, str_cat(R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":)", preconditions, "}"));
  };
  ASSERT_EQ(call("POST", kMaps, R"({"metadata":{"name":"c"}})").code, 201);
  const std::string map = str_cat(kMaps, "/c"), uid = call("GET", map).body["metadata"]["uid"].as_string().str();
  EXPECT_EQ(remove(map, R"({"uid":""})").body["message"].as_string().str(),
            str_cat("Operation cannot be fulfilled on ConfigMap \"c\": the UID in the precondition () does not match the UID in record (", uid,
                    "). The object might have been deleted and then recreated"));
  EXPECT_EQ(remove(map, R"({"resourceVersion":""})").code, 409);
  EXPECT_EQ(remove(map, "{}").code, 200);
  ASSERT_EQ(call("POST", "/api/v1/namespaces", R"({"metadata":{"name":"n"}})").code, 201);
  const std::string version = call("GET", "/api/v1/namespaces/n").body["metadata"]["resourceVersion"].as_string().str();
  EXPECT_EQ(remove("/api/v1/namespaces/n", R"({"resourceVersion":""})").body["message"].as_string().str(),
            str_cat("Operation cannot be fulfilled on namespaces \"n\": Precondition failed: ResourceVersion in precondition: , "
                    "ResourceVersion in object meta: ", version));
}

TEST_F(RestTest, ANewPodSaysItsClassAndNothingElseOfItsStatus) {
  ASSERT_EQ(call("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})").code, 201);
  const Answer made = call("POST", "/api/v1/namespaces/default/pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]},
    "status":{"qosClass":"Burstable","phase":"Running","podIP":"10.0.0.1"}})");
  EXPECT_EQ(made.body["status"].dump(), R"({"phase":"Pending","qosClass":"Burstable"})");
}

TEST_F(RestTest, WarningsAreGivenOnceAndCutWhereTheyAreTooLong) {
  EXPECT_EQ(warning_headers({"a", "b", "a", ""}), (std::vector<std::string>{"299 - \"a\"", "299 - \"b\""}));
  const std::string half(2048, 'x'), rest(2047, 'y');
  EXPECT_EQ(warning_headers({Str(half), Str(rest), "z"})[0].size(), half.size() + 8);
  const auto cut = warning_headers({Str(half), Str(rest), "zz"});
  EXPECT_EQ(cut.size(), 3u);
  EXPECT_EQ(cut[0].size(), 256u + 8);
}

TEST_F(RestTest, AWebhookIsShownTheTimeThatIsWritten) {
  ASSERT_EQ(call("POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", R"({"metadata":{"name":"v"},"webhooks":[
    {"name":"v.x.io","clientConfig":{"url":"https://127.0.0.1:1/v"},"sideEffects":"None","admissionReviewVersions":["v1"],
     "rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}]}]})").code, 201);
  send("POST", kMaps, R"({"metadata":{"name":"m"}})");
  ASSERT_EQ(http_.calls.size(), 1u);
  const api::Json review = *api::Json::parse(http_.calls.front().second.body);
  kernel_.run_until(kernel_.now() + Duration::seconds(5));
  http_.answer(str_cat(R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":")", review["request"]["uid"].text(),
                       R"(","allowed":true}})"));
  kernel_.run_until(kernel_.now());
  EXPECT_EQ(call("GET", str_cat(kMaps, "/m")).body["metadata"]["creationTimestamp"], review["request"]["object"]["metadata"]["creationTimestamp"]);
}

TEST_F(RestTest, DryRunsGetNodePortsThatCannotBe) {
  const Answer made = call("POST", "/api/v1/namespaces/default/services?dryRun=All",
                           R"({"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"name":"a","port":1},{"name":"b","port":2}]}})");
  EXPECT_EQ(made.body["spec"]["ports"].items().at(0)["nodePort"].as_int(), 32769);
  EXPECT_EQ(made.body["spec"]["ports"].items().at(1)["nodePort"].as_int(), 32770);
}

TEST_F(RestTest, DryRunsDoNotLookWhichClusterIpsAreTaken) {
  const std::string services = "/api/v1/namespaces/default/services";
  const auto made = [&](std::string_view name, std::string_view spec, std::string_view query) {
    return call("POST", str_cat(services, query), str_cat(R"({"metadata":{"name":")", name, R"("},"spec":{)", spec, R"("ports":[{"port":1}]}})"));
  };
  const Answer first = made("s", "", "");
  ASSERT_EQ(first.code, 201) << first.raw.body;
  const std::string taken = str_cat(R"("clusterIP":")", first.body["spec"]["clusterIP"].as_string(), R"(",)");
  EXPECT_EQ(made("t", taken, "").code, 422);
  EXPECT_EQ(made("t", taken, "?dryRun=All").code, 201);
  const Str drawn = made("t", "", "?dryRun=All").body["spec"]["clusterIP"].as_string();
  EXPECT_EQ(drawn.view().substr(drawn.view().rfind('.')), ".0");
}

TEST_F(RestTest, DryRunsOfCreatesSayWhatExists) {
  const std::string maps = "/api/v1/namespaces/default/configmaps", body = R"({"metadata":{"name":"m"}})";
  EXPECT_EQ(call("POST", maps + "?dryRun=All", body).code, 201);
  ASSERT_EQ(call("POST", maps, body).code, 201);
  const Answer again = call("POST", maps + "?dryRun=All", body);
  EXPECT_EQ(again.code, 409);
  EXPECT_EQ(again.body["message"].as_string(), "configmaps \"m\" already exists");
  EXPECT_EQ(again.body["details"]["kind"].as_string(), "configmaps");
}

TEST_F(RestTest, TheDefaultPriorityClassIsNotCreatedAgain) {
  const std::string classes = "/apis/scheduling.k8s.io/v1/priorityclasses", body = R"({"metadata":{"name":"c"},"value":1,"globalDefault":true})";
  ASSERT_EQ(call("POST", classes, body).code, 201);
  EXPECT_EQ(call("POST", classes, body).code, 403);
}

TEST_F(RestTest, DryRunsAnswerAsIfReadFromTheStore) {
  const Answer made = call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles?dryRun=All", R"({"metadata":{"name":"r"},"rules":[]})");
  ASSERT_EQ(made.code, 201) << made.raw.body;
  EXPECT_TRUE(made.body["rules"].is_null());
}

TEST_F(RestTest, FamiliesOfServicesFollowTheirPolicy) {
  const auto make = [&](std::string_view spec) { return call("POST", "/api/v1/namespaces/default/services?dryRun=All", str_cat(R"({"metadata":{"name":"s"},"spec":{)", spec, "}}")); };
  const Answer two = make(R"("ipFamilies":["IPv4","IPv6"],"ports":[{"port":1}])");
  EXPECT_EQ(two.code, 422);
  EXPECT_EQ(two.body["details"]["causes"].items().at(0)["message"].as_string(),
            "Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
  const Answer headless = make(R"("clusterIP":"None","ipFamilies":["IPv6"],"ports":[{"port":1}])");
  EXPECT_EQ(headless.body["spec"]["ipFamilyPolicy"].as_string(), "RequireDualStack");
  EXPECT_EQ(headless.body["spec"]["ipFamilies"].size(), 2u);
  const Answer named = make(R"("type":"ExternalName","externalName":"a.b","internalTrafficPolicy":"Cluster")");
  EXPECT_EQ(named.code, 201);
  EXPECT_EQ(named.body["spec"].find("internalTrafficPolicy"), nullptr);
}

TEST_F(RestTest, AServiceLosesWhatItsNewTypeDoesNotHave) {
  const std::string services = "/api/v1/namespaces/default/services", merge = "application/merge-patch+json";
  ASSERT_EQ(call("POST", services, R"({"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","loadBalancerClass":"a/b",
                                      "ports":[{"port":80,"name":"p"}]}})").code, 201);
  const Answer renumbered = call("PATCH", services + "/s", R"({"spec":{"ports":[{"port":81,"name":"p"}]}})", merge);
  EXPECT_GT(renumbered.body["spec"]["ports"].items().at(0)["nodePort"].as_int(), 0);
  const Answer outside = call("PATCH", services + "/s", R"({"spec":{"type":"ExternalName","externalName":"example.com"}})", merge);
  EXPECT_EQ(outside.code, 200) << outside.raw.body;
  for (const char* field : {"clusterIP", "ipFamilies", "allocateLoadBalancerNodePorts", "loadBalancerClass", "externalTrafficPolicy"})
    EXPECT_TRUE(outside.body["spec"][field].is_null()) << field;
  EXPECT_EQ(call("PATCH", services + "/s", R"({"spec":{"type":"ClusterIP"}})", merge).body["spec"]["ipFamilies"].size(), 1u);
  const Answer headless = call("PATCH", services + "/s", R"({"spec":{"clusterIP":"None"}})", merge);
  EXPECT_EQ(headless.body["details"]["causes"].items().at(0)["message"].as_string(), R"(Invalid value: []string{"None"}: may not change once set)");
}

TEST_F(RestTest, PartialMetadataIsThatOfTheInternalForm) {
  const std::string scalers = "/namespaces/default/horizontalpodautoscalers", sets = "/apis/apps/v1/namespaces/default/daemonsets";
  ASSERT_EQ(call("POST", "/apis/autoscaling/v2" + scalers, R"({"metadata":{"name":"h"},"spec":{"maxReplicas":3,"scaleTargetRef":{"kind":"D","name":"d"},
    "metrics":[{"type":"Resource","resource":{"name":"memory","target":{"type":"Utilization","averageUtilization":50}}}]}})").code, 201);
  ASSERT_EQ(call("POST", sets, R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})").code, 201);
  for (const std::string& path : {"/apis/autoscaling/v1" + scalers + "/h", sets + "/d"}) {
    const uint64_t exchange = send("GET", path, "", "", "root", {{"accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}});
    const auto partial = api::Json::parse(transport_.answers[exchange].body);
    EXPECT_TRUE((*partial)["metadata"]["annotations"].is_null());
    EXPECT_FALSE(call("GET", path).body["metadata"]["annotations"].is_null());
  }
}

TEST_F(RestTest, FieldLabelsAreThoseOfTheVersionAskedFor) {
  const auto code = [&](std::string_view path, std::string_view field) {
    return call("GET", str_cat(path, "?fieldSelector=", field, "%3Dx")).code;
  };
  const std::string_view core = "/api/v1/namespaces/default/events", events = "/apis/events.k8s.io/v1/namespaces/default/events";
  EXPECT_EQ(code(core, "involvedObject.name"), 200);
  EXPECT_EQ(code(core, "regarding.name"), 400);
  EXPECT_EQ(code(events, "regarding.name"), 200);
  EXPECT_EQ(code(events, "involvedObject.name"), 400);
  EXPECT_EQ(code("/api/v1/namespaces", "metadata.namespace"), 400);
  EXPECT_EQ(code("/api/v1/namespaces/default/services", "spec.type"), 200);
  EXPECT_EQ(code("/api/v1/namespaces/default/pods", "spec.host"), 200);
  EXPECT_EQ(code("/apis/apps/v1/namespaces/default/replicasets", "status.replicas"), 400);
}

TEST_F(RestTest, NumbersInQueriesMustBeNumbers) {
  for (const char* const query : {"limit=x", "timeoutSeconds=x", "watch=true&timeoutSeconds=x"}) {
    const Answer answer = call("GET", str_cat(kMaps, "?", query));
    EXPECT_EQ(answer.code, 400) << query;
    EXPECT_EQ(answer.body["message"].as_string(), "strconv.ParseInt: parsing \"x\": invalid syntax") << query;
  }
}

TEST_F(RestTest, AnObjectThatIsPutSaysItsName) {
  const Answer answer = call("PUT", str_cat(kMaps, "/a"), R"({"metadata":{}})");
  EXPECT_EQ(answer.code, 400);
  EXPECT_EQ(answer.body["message"].as_string(), "the name of the object (a based on URL) was undeterminable: name must be provided");
}

TEST_F(RestTest, PathsThatNothingCanBeAskedOf) {
  EXPECT_EQ(call("POST", "/api/v1/pods", R"({"metadata":{"name":"p"}})").code, 405);
  EXPECT_EQ(call("GET", "/api/v1/bindings").code, 404);
  EXPECT_EQ(call("GET", "/api/v1/namespaces/default/bindings").code, 405);
  EXPECT_EQ(call("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/a").code, 404);
}

TEST_F(RestTest, FlowSchemasTellWhetherTheirLevelIsThere) {
  const std::string schemas = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
  EXPECT_EQ(call("GET", schemas + "/exempt").body["status"]["conditions"].items().at(0)["status"].as_string(), "False");
  call("POST", schemas, R"({"metadata":{"name":"s"},"spec":{"priorityLevelConfiguration":{"name":"none"}}})");
  EXPECT_EQ(call("GET", schemas + "/s").body["status"]["conditions"].items().at(0)["message"].as_string(),
            "This FlowSchema references the PriorityLevelConfiguration object named \"none\" but there is no such object");
}

TEST_F(RestTest, AutoscalersKeepInAnnotationsWhatV1DoesNotKnow) {
  const std::string v1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/h";
  const std::string v2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
  const Answer made = call("POST", v2, R"({"metadata":{"name":"h"},"spec":{"maxReplicas":3,"scaleTargetRef":{"kind":"Deployment","name":"d"},
    "metrics":[{"type":"Pods","pods":{"metric":{"name":"qps"},"target":{"type":"AverageValue","averageValue":"1k"}}}],
    "behavior":{"scaleUp":{"stabilizationWindowSeconds":5}}}})");
  ASSERT_EQ(made.code, 201) << made.raw.body;
  const Answer old = call("GET", v1);
  const api::Json& annotations = old.body["metadata"]["annotations"];
  EXPECT_EQ(annotations["autoscaling.alpha.kubernetes.io/metrics"].as_string(),
            R"([{"type":"Pods","pods":{"metricName":"qps","targetAverageValue":"1k"}}])");
  EXPECT_TRUE(annotations["autoscaling.alpha.kubernetes.io/behavior"].as_string().view().starts_with(
      R"({"ScaleUp":{"StabilizationWindowSeconds":5,"SelectPolicy":"Max","Policies":[{"Type":"Pods")"));
  ASSERT_EQ(call("PUT", v1, old.raw.body).code, 200);
  EXPECT_EQ(call("GET", v2 + "/h").body["spec"], made.body["spec"]);
}

TEST_F(RestTest, ANamespaceThatOnlyEnforcesALevelWarnsOfIt) {
  const auto warnings = [&](std::string_view ns, std::string_view labels) {
    call("POST", "/api/v1/namespaces", str_cat(R"({"metadata":{"name":")", ns, R"(","labels":{)", labels, "}}}"));
    const Answer made = call("POST", str_cat("/apis/apps/v1/namespaces/", ns, "/deployments"),
                             R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
                             "spec":{"hostPID":true,"containers":[{"name":"c","image":"i"}]}}}})");
    EXPECT_EQ(made.code, 201);
    std::string all;
    for (const auto& [name, value] : made.raw.headers)
      if (name == "warning") all += value;
    return all;
  };
  const std::string enforce = R"("pod-security.kubernetes.io/enforce":"baseline")", warn = R"(,"pod-security.kubernetes.io/warn)";
  EXPECT_EQ(warnings("a", enforce), R"x(299 - "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)")x");
  EXPECT_EQ(warnings("b", enforce + warn + R"(-version":"v1.24")"),
            R"x(299 - "would violate PodSecurity \"baseline:v1.24\": host namespaces (hostPID=true)")x");
  EXPECT_EQ(warnings("c", enforce + warn + R"(":"privileged")"), "");
}

TEST_F(RestTest, WhatAQuotaCountsHasItsOwnVersion) {
  const std::string quotas = "/api/v1/namespaces/default/resourcequotas";
  call("POST", quotas, R"({"metadata":{"name":"q"},"spec":{"hard":{"configmaps":"1"}}})");
  call("PATCH", quotas + "/q/status", R"({"status":{"hard":{"configmaps":"1"},"used":{"configmaps":"0"}}})", "application/merge-patch+json");
  const Answer made = call("POST", kMaps, R"({"metadata":{"name":"a"}})");
  ASSERT_EQ(made.code, 201) << made.raw.body;
  const Answer quota = call("GET", quotas + "/q");
  EXPECT_EQ(quota.body["status"]["used"]["configmaps"].as_string(), "1");
  EXPECT_NE(quota.body["metadata"]["resourceVersion"].as_string(), made.body["metadata"]["resourceVersion"].as_string());
  EXPECT_EQ(call("POST", kMaps, R"({"metadata":{"name":"b"}})").code, 403);
}



}  // namespace
}  // namespace orrery::server
