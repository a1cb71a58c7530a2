// componentstatuses.
#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

constexpr const char* kComponents = "/api/v1/componentstatuses";

class RestComponentsTest : public RestTest {
 protected:
  void answer_all(const HttpCallOutcome& outcome) {
    while (!http_.calls.empty()) http_.answer(outcome);
    kernel_.run_until(kernel_.now());
  }
  api::Json list() {
    const uint64_t exchange = send("GET", kComponents);
    HttpCallOutcome well;
    well.response.body = "ok";
    answer_all(well);
    return body(exchange);
  }
  api::Json body(uint64_t exchange) { return *api::Json::parse(transport_.answers.at(exchange).body); }
};

TEST_F(RestComponentsTest, AllAreAskedAndWell) {
  const api::Json all = list();
  EXPECT_EQ(all["kind"].text(), "ComponentStatusList");
  EXPECT_EQ(all["metadata"].dump(), "{}");
  std::string names;
  for (const api::Json& one : all["items"].items()) {
    names += str_cat(one["metadata"]["name"].text(), " ");
    EXPECT_EQ(one["conditions"].dump(), R"([{"type":"Healthy","status":"True","message":"ok"}])");
  }
  EXPECT_EQ(names, "controller-manager scheduler etcd-0 ");
}

TEST_F(RestComponentsTest, AnyCertificateDoesForTheHealthOfAComponent) {
  send("GET", std::string(kComponents) + "/scheduler");
  ASSERT_EQ(http_.calls.size(), 1u);
  const HttpCall& call = http_.calls.front().second;
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.url, "https://127.0.0.1:10259/healthz");
  EXPECT_TRUE(call.any_server);
}

TEST_F(RestComponentsTest, WhoAsksIsWarnedAndCounted) {
  const HttpResponse answer = call("GET", std::string(kComponents) + "/etcd-0").raw;
  EXPECT_EQ(find_header(answer.headers, "warning"), "299 - \"v1 ComponentStatus is deprecated in v1.19+\"");
  EXPECT_EQ(api::Json::parse(answer.body)->find("kind")->text(), "ComponentStatus");
  const std::string metrics = call("GET", "/metrics").raw.body;
  EXPECT_NE(metrics.find("apiserver_requested_deprecated_apis{group=\"\",removed_release=\"\",resource=\"componentstatuses\","
                         "subresource=\"\",version=\"v1\"} 1\n"),
            std::string::npos);
}

TEST_F(RestComponentsTest, WhoIsNotReachedIsNotHealthy) {
  const auto condition = [&](HttpCallOutcome outcome) {
    const uint64_t exchange = send("GET", std::string(kComponents) + "/controller-manager");
    answer_all(outcome);
    return body(exchange)["conditions"][size_t{0}].dump();
  };
  HttpCallOutcome refused;
  refused.status = Status(Code::kServiceUnavailable, "dial tcp 127.0.0.1:10257: connect: connection refused");
  EXPECT_EQ(condition(refused),
            R"({"type":"Healthy","status":"False","message":"Get \"https://127.0.0.1:10257/healthz\": )"
            R"(dial tcp 127.0.0.1:10257: connect: connection refused"})");
  HttpCallOutcome ill;
  ill.response.code = 500;
  EXPECT_EQ(condition(ill), R"({"type":"Healthy","status":"False","message":"HTTP probe failed with statuscode: 500"})");
}

TEST_F(RestComponentsTest, AStoreThatFailsIsToldWithItsError) {
  store_.fail_next(1, Status(Code::kServiceUnavailable, "gone"));
  EXPECT_EQ(call("GET", std::string(kComponents) + "/etcd-0").body["conditions"].dump(),
            R"([{"type":"Healthy","status":"False","error":"error getting data from etcd: gone"}])");
}

/// Its store answers after half a minute.
class LateStoreRestTest : public RestTest {
 protected:
  LateStoreRestTest() : RestTest(options_with_tokens(), {.latency = Duration::seconds(30), .watch_latency = {}, .history_max = 4096}) {
    kernel_.run_until(kernel_.now() + Duration::minutes(60));
  }
};

TEST_F(LateStoreRestTest, AStoreIsNotWaitedForLongerThanTwentySeconds) {
  const uint64_t exchange = send("GET", std::string(kComponents) + "/etcd-0");
  kernel_.run_until(kernel_.now() + Duration::seconds(19));
  EXPECT_FALSE(transport_.answers.contains(exchange));
  kernel_.run_until(kernel_.now() + Duration::seconds(1));
  EXPECT_NE(transport_.answers[exchange].body.find("error getting data from etcd: context deadline exceeded"), std::string::npos);
  kernel_.run_until(kernel_.now() + Duration::minutes(1));  // what it says then is nobody's
}

TEST_F(RestComponentsTest, NamesAreSelectedAndUnknownOnesAnError) {
  EXPECT_EQ(call("GET", str_cat(kComponents, "?fieldSelector=metadata.name%3Detcd-0")).body["items"].size(), 1u);
  EXPECT_EQ(call("GET", str_cat(kComponents, "?labelSelector=a%3Db")).body["items"].size(), 0u);
  const Answer unknown = call("GET", std::string(kComponents) + "/etcd-1");
  EXPECT_EQ(unknown.code, 500);
  EXPECT_EQ(unknown.body["message"].text(), "Component not found: etcd-1");
  EXPECT_EQ(call("GET", str_cat(kComponents, "?watch=1")).code, 405);
  EXPECT_EQ(call("DELETE", std::string(kComponents) + "/etcd-0").code, 405);
}

TEST_F(RestComponentsTest, WhoHasGoneIsNotAnswered) {
  const uint64_t exchange = send("GET", kComponents);
  transport_.hang_up(exchange);
  kernel_.run_until(kernel_.now());
  answer_all({});
  EXPECT_FALSE(transport_.answers.contains(exchange));
}

}  // namespace
}  // namespace orrery::server
