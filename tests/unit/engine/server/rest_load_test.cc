// More requests than there are seats, and requests that take too long.
#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

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
