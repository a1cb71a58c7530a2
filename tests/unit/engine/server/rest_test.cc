#include "engine/server/rest/rest.h"

#include <gtest/gtest.h>

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

ServerOptions options_with_tokens() {
  ServerOptions options;
  options.tokens = {{"root", "admin", "1", {"system:masters"}}, {"guest", "guest", "2", {}}};
  options.service_cidr = "10.96.0.0/16";
  return options;
}

/// The whole API server but its sockets, on a simulated store.
class RestTest : public ::testing::Test {
 protected:
  explicit RestTest(ServerOptions options = options_with_tokens(), sim::SimStore::Options store = {})
      : kernel_(Time::from_unix_seconds(1'700'000'000)),
        store_(&kernel_, &kernel_, store),
        env_{&kernel_, &kernel_, nullptr, Rng(1)},
        transport_(&kernel_),
        server_(env_, &store_, server_options()),
        rest_(env_, {&server_, &transport_, nullptr, nullptr}, std::move(options), {}) {
    kernel_.run_until(kernel_.now() + Duration::minutes(1));
  }

  struct Answer {
    int code = 0;
    api::Json body;
    HttpResponse raw;
  };
  /// The request lies before the server.
  uint64_t post(std::string method, std::string target, std::string body = "", std::string type = "", std::string token = "root",
                HttpHeaders more = {}) {
    HttpRequest request;
    const size_t question = std::min(target.find('?'), target.size());
    request.method = std::move(method);
    request.path = target.substr(0, question);
    if (question < target.size()) request.query = target.substr(question + 1);
    request.headers = {{"user-agent", "test/1"}, {"authorization", "Bearer " + token}};
    if (!type.empty()) request.headers.emplace_back("content-type", type);
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    request.body = std::move(body);
    return transport_.send(std::move(request));
  }
  uint64_t send(std::string method, std::string target, std::string body = "", std::string type = "", std::string token = "root",
                HttpHeaders more = {}) {
    const uint64_t exchange = post(std::move(method), std::move(target), std::move(body), std::move(type), std::move(token), std::move(more));
    kernel_.run_until(kernel_.now());
    return exchange;
  }
  Answer call(std::string method, std::string target, std::string body = "", std::string type = "", std::string token = "root") {
    const uint64_t exchange = send(std::move(method), std::move(target), std::move(body), std::move(type), std::move(token));
    Answer answer;
    answer.raw = transport_.answers[exchange];
    answer.code = answer.raw.code;
    if (auto json = api::Json::parse(answer.raw.body); json.is_ok()) answer.body = std::move(*json);
    return answer;
  }

  sim::Kernel kernel_;
  sim::SimStore store_;
  Env env_;
  test::MemoryTransport transport_;
  Server server_;
  Rest rest_;
};

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";

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

TEST_F(RestTest, PagesOfAListContinueAtTheirRevision) {
  for (const char* name : {"a", "b", "c", "d"}) call("POST", kMaps, str_cat("{\"metadata\":{\"name\":\"", name, "\"}}"));
  const Answer first = call("GET", std::string(kMaps) + "?limit=2");
  ASSERT_EQ(first.body["items"].size(), 2u);
  EXPECT_EQ(first.body["metadata"]["remainingItemCount"].as_int(), 2);
  call("DELETE", std::string(kMaps) + "/c");
  const Answer second = call("GET", str_cat(kMaps, "?limit=2&continue=", first.body["metadata"]["continue"].as_string()));
  ASSERT_EQ(second.body["items"].size(), 2u) << second.raw.body;
  EXPECT_EQ(second.body["items"].items().at(0)["metadata"]["name"].as_string(), "c");
  EXPECT_EQ(second.body["metadata"]["resourceVersion"], first.body["metadata"]["resourceVersion"]);
}

/// Its store tells of a write five seconds later.
class SlowStoreRestTest : public RestTest {
 protected:
  SlowStoreRestTest() : RestTest(options_with_tokens(), {.latency = {}, .watch_latency = Duration::seconds(5), .history_max = 4096}) {}
};

TEST_F(SlowStoreRestTest, ABookmarkFollowsTheEventsThatItSpeaksOf) {
  send("POST", kMaps, R"({"metadata":{"name":"late"}})");
  // The write becomes known in the very moment in which the bookmark is due, two seconds before the end.
  const uint64_t watch = send("GET", std::string(kMaps) + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=7");
  kernel_.run_until(kernel_.now() + Duration::seconds(6));
  const std::string& stream = transport_.streams[watch];
  const size_t event = stream.find("\"name\":\"late\""), bookmark = stream.find("BOOKMARK");
  ASSERT_NE(event, std::string::npos) << stream;
  ASSERT_NE(bookmark, std::string::npos) << stream;
  EXPECT_LT(event, bookmark) << stream;
}

TEST_F(RestTest, WatchFromAVersionTellsWhatCameAfterIt) {
  const Answer a = call("POST", kMaps, R"({"metadata":{"name":"a"}})");
  call("PATCH", std::string(kMaps) + "/a", R"({"data":{"x":"1"}})", "application/merge-patch+json");
  const uint64_t watch = send("GET", str_cat(kMaps, "?watch=1&resourceVersion=", a.body["metadata"]["resourceVersion"].as_string()));
  EXPECT_NE(transport_.streams[watch].find("\"type\":\"MODIFIED\""), std::string::npos) << transport_.streams[watch];
  EXPECT_EQ(transport_.streams[watch].find("\"type\":\"ADDED\""), std::string::npos);
  call("DELETE", std::string(kMaps) + "/a");
  EXPECT_NE(transport_.streams[watch].find("\"type\":\"DELETED\""), std::string::npos);
  kernel_.run_until(kernel_.now() + Duration::hours(2));
  EXPECT_TRUE(transport_.ended[watch]);
}

/// A client's frame, masked with zeros.
std::string masked(WebSocketKind kind, std::string_view payload) {
  std::string frame = websocket_frame(kind, payload);
  frame[1] = static_cast<char>(frame[1] | 0x80);
  return frame.insert(2, 4, '\0');
}

TEST_F(RestTest, WatchOverWebSocketIsOneMessageForEachEvent) {
  const std::vector<std::pair<std::string, std::string>> upgrade = {
      {"connection", "keep-alive, Upgrade"}, {"upgrade", "websocket"}, {"sec-websocket-protocol", "base64url.bearer.authorization.k8s.io.cm9vdA, mine"}};
  const uint64_t watch = send("GET", std::string(kMaps) + "?watch=1", "", "", "root", upgrade);
  EXPECT_EQ(transport_.answers[watch].code, 101);
  EXPECT_EQ(find_header(transport_.answers[watch].headers, "upgrade"), "websocket");
  EXPECT_EQ(find_header(transport_.answers[watch].headers, "sec-websocket-protocol"), "mine");
  call("POST", kMaps, R"({"metadata":{"name":"a"}})");
  const std::string& stream = transport_.streams[watch];
  EXPECT_NE(stream.find("\"type\":\"ADDED\""), std::string::npos);
  EXPECT_EQ(stream.front(), '\x81') << "one whole text message";
  transport_.send_input(watch, masked(WebSocketKind::kPing, "hm"));
  kernel_.run_until(kernel_.now());
  EXPECT_TRUE(stream.ends_with("\x8a\x02hm"));
  transport_.send_input(watch, masked(WebSocketKind::kClose, ""));
  kernel_.run_until(kernel_.now());
  EXPECT_TRUE(transport_.ended[watch]);
  EXPECT_TRUE(stream.ends_with(websocket_close(kWebSocketNormal)));
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

TEST_F(RestTest, DryRunsGetNodePortsThatCannotBe) {
  const Answer made = call("POST", "/api/v1/namespaces/default/services?dryRun=All",
                           R"({"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"name":"a","port":1},{"name":"b","port":2}]}})");
  EXPECT_EQ(made.body["spec"]["ports"].items().at(0)["nodePort"].as_int(), 32769);
  EXPECT_EQ(made.body["spec"]["ports"].items().at(1)["nodePort"].as_int(), 32770);
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

TEST_F(RestTest, AWatchFromTheStartOfTimeHasNoContinueToken) {
  const Answer answer = call("GET", str_cat(kMaps, "?watch=true&continue=x"));
  EXPECT_EQ(answer.code, 422);
  EXPECT_EQ(answer.body["details"]["causes"].items().at(0)["message"].as_string(),
            "Forbidden: resourceVersionMatch is forbidden when continue is provided");
}

TEST_F(RestTest, AnObjectThatIsPutSaysItsName) {
  const Answer answer = call("PUT", str_cat(kMaps, "/a"), R"({"metadata":{}})");
  EXPECT_EQ(answer.code, 400);
  EXPECT_EQ(answer.body["message"].as_string(), "the name of the object (a based on URL) was undeterminable: name must be provided");
}

TEST_F(RestTest, ListsOfVersionsAreOnlyRead) {
  EXPECT_EQ(call("POST", "/api").code, 405);
  EXPECT_EQ(call("DELETE", "/apis/apps/v1").code, 405);
  EXPECT_EQ(call("PUT", "/version").code, 405);
  EXPECT_EQ(call("POST", "/apis").code, 200);
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

ServerOptions with_seats(int reads, int writes, bool fair) {
  ServerOptions options = options_with_tokens();
  options.authorization_modes = {AuthorizationMode::kAlwaysAllow};
  options.max_requests_inflight = reads;
  options.max_mutating_requests_inflight = writes;
  options.priority_and_fairness = fair;
  options.request_timeout = Duration::seconds(8);
  return options;
}

std::string_view header(const HttpResponse& response, std::string_view name) { return find_header(response.headers, name); }

/// Writes take a second.
class BusyRest : public RestTest {
 protected:
  explicit BusyRest(bool fair = true) : RestTest(with_seats(2, 1, fair), {Duration::seconds(1), Duration::millis(1)}) {}
  std::vector<uint64_t> post_maps(int count, std::string_view token) {
    std::vector<uint64_t> out;
    for (int i = 0; i < count; ++i)
      out.push_back(post("POST", kMaps, str_cat("{\"metadata\":{\"name\":\"", token, "-", i, "\"}}"), "", std::string(token)));
    return out;
  }
};

TEST_F(BusyRest, AnswersNameTheSchemaAndTheLevelOfTheRequest) {
  const Answer schema = call("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/global-default");
  const uint64_t found = send("GET", std::string(kMaps) + "/kube-root-ca.crt", "", "", "guest");
  EXPECT_EQ(header(transport_.answers[found], "x-kubernetes-pf-flowschema-uid"), schema.body["metadata"]["uid"].as_string());
  const uint64_t watch = send("GET", std::string(kMaps) + "?watch=1", "", "", "guest");
  EXPECT_EQ(header(transport_.answers[watch], "x-kubernetes-pf-flowschema-uid"), schema.body["metadata"]["uid"].as_string());
  EXPECT_NE(header(call("GET", "/version").raw, "x-kubernetes-pf-prioritylevel-uid"), "");
}

TEST_F(BusyRest, RequestsWaitForSeatsWatchesDoNotKeepThem) {
  for (int i = 0; i < 10; ++i) send("GET", std::string(kMaps) + "?watch=1", "", "", "guest");
  const std::vector<uint64_t> sent = post_maps(7, "guest");
  kernel_.run_until(kernel_.now() + Duration::millis(100));
  EXPECT_NE(call("GET", "/metrics").raw.body.find("current_inqueue_requests{flow_schema=\"global-default\",priority_level=\"global-default\"} 4\n"),
            std::string::npos)
      << "three run: its own seat and lent ones, but no level has more than there are in all";
  kernel_.run_until(kernel_.now() + Duration::seconds(10));
  int made = 0, refused = 0;
  for (const uint64_t id : sent) {
    made += transport_.answers[id].code == 201;
    refused += transport_.answers[id].code == 429;
  }
  EXPECT_EQ(made + refused, 7);
  EXPECT_GE(made, 3);
}

TEST_F(BusyRest, WhoWaitsTooLongIsToldToComeAgain) {
  const std::vector<uint64_t> sent = post_maps(12, "guest");
  kernel_.run_until(kernel_.now() + Duration::seconds(30));
  int refused = 0;
  for (const uint64_t id : sent) {
    const HttpResponse& answer = transport_.answers[id];
    if (answer.code == 201) continue;
    ++refused;
    EXPECT_EQ(answer.code, 429);
    EXPECT_EQ(header(answer, "retry-after"), "1");
    EXPECT_EQ(answer.body, "Too many requests, please try again later.\n");
    EXPECT_NE(header(answer, "x-kubernetes-pf-flowschema-uid"), "");
  }
  EXPECT_GT(refused, 0);
  EXPECT_NE(call("GET", "/metrics").raw.body.find("reason=\"time-out\""), std::string::npos);
}

TEST_F(BusyRest, AWaitingRequestWhoseClientHasGoneIsForgotten) {
  const std::vector<uint64_t> sent = post_maps(6, "guest");
  kernel_.run_until(kernel_.now() + Duration::millis(1));
  for (const uint64_t id : sent) transport_.hang_up(id);
  kernel_.run_until(kernel_.now() + Duration::seconds(5));
  EXPECT_EQ(call("GET", std::string(kMaps) + "/guest-5").code, 404);
  const uint64_t next = post_maps(1, "guest")[0];
  kernel_.run_until(kernel_.now() + Duration::seconds(5));
  EXPECT_NE(transport_.answers[next].code, 429);
}

class LimitedRest : public BusyRest {
 protected:
  LimitedRest() : BusyRest(false) {}
};

TEST_F(LimitedRest, WithoutFairnessReadsAndWritesAreCounted) {
  const std::vector<uint64_t> sent = post_maps(3, "guest");
  const uint64_t privileged = post_maps(1, "root")[0], read = post("GET", kMaps, "", "", "guest");
  kernel_.run_until(kernel_.now() + Duration::seconds(5));
  EXPECT_EQ(transport_.answers[sent[0]].code, 201);
  EXPECT_EQ(transport_.answers[sent[1]].code, 429);
  EXPECT_EQ(header(transport_.answers[sent[1]], "retry-after"), "1");
  EXPECT_EQ(header(transport_.answers[sent[1]], "x-kubernetes-pf-flowschema-uid"), "");
  EXPECT_EQ(transport_.answers[privileged].code, 201);
  EXPECT_EQ(transport_.answers[read].code, 200);
  const uint64_t next = post("POST", kMaps, R"({"metadata":{"name":"z"}})", "", "guest");
  kernel_.run_until(kernel_.now() + Duration::seconds(5));
  EXPECT_EQ(transport_.answers[next].code, 201);
}

/// Writes take longer than a request may.
class SlowRest : public RestTest {
 protected:
  SlowRest() : RestTest(with_seats(400, 200, true), {Duration::seconds(9), Duration::millis(1)}) {}
};

TEST_F(SlowRest, ARequestThatTakesTooLongEnds) {
  const uint64_t usual = post("POST", kMaps, R"({"metadata":{"name":"a"}})"),
                 hasty = post("POST", std::string(kMaps) + "?timeout=2s", R"({"metadata":{"name":"b"}})");
  const uint64_t watch = post("GET", std::string(kMaps) + "?watch=1");
  kernel_.run_until(kernel_.now() + Duration::seconds(3));
  EXPECT_EQ(transport_.answers[hasty].code, 504);
  EXPECT_FALSE(transport_.answers.contains(usual));
  kernel_.run_until(kernel_.now() + Duration::seconds(30));
  const auto body = api::Json::parse(transport_.answers[usual].body);
  EXPECT_EQ((*body)["code"].as_int(), 504);
  EXPECT_EQ((*body)["message"].as_string(), "Timeout: request did not complete within requested timeout - context deadline exceeded");
  EXPECT_FALSE(transport_.ended[watch]);
  EXPECT_EQ(call("GET", std::string(kMaps) + "?timeout=soon").code, 400);
}

}  // namespace
}  // namespace orrery::server
