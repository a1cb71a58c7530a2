#include "realmode/http/http_client.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/base/str.h"
#include "realmode/crypto/certificates.h"
#include "realmode/http/http_server.h"
#include "realmode/loop/loop.h"

namespace orrery::realmode {
namespace {

/// The client against the real front, both on one loop that the test steps.
class HttpClientTest : public testing::Test, public LaneHandler {
 protected:
  HttpClientTest() : client_(&loop_), lane_(loop_.open("test", this)) {
    authority_ = *make_authority("ca", loop_.now());
  }
  void serve(const CertificateSpec& spec) {
    const Identity identity = *issue(authority_, spec, loop_.now());
    HttpServer::Options options;
    options.tls = TlsFiles{identity.certificate_pem, identity.key_pem, ""};
    server_ = std::move(*HttpServer::make(std::move(options), &loop_));
    server_->subscribe(lane_);
    server_->start();
  }
  void handle(const Ctx&, const Event& event) override {
    if (event.kind == EventKind::kDone) outcomes_[event.a] = client_.take(event.b);
    if (event.kind != EventKind::kUser || event.a != kHttpRequestArrived) return;
    const HttpRequest request = server_->take_request(event.b);
    peers_.push_back(request.remote_address);
    if (request.path == "/hold") return;
    HttpResponse response{201, {{"x-method", request.method}}, request.body};
    if (request.path == "/redirect") response = {302, {{"location", "https://127.0.0.1/"}}, ""};
    if (request.path == "/large") response.body.assign(CurlHttpClient::kAnswerBytesMax + 1, 'x');
    server_->respond(event.b, std::move(response));
  }
  HttpCall call_to(const std::string& host, const std::string& path) {
    HttpCall call;
    call.url = str_cat("https://", host, ":", server_->port(), path);
    call.body = "{}";
    call.ca_bundle = authority_.certificate_pem;
    return call;
  }
  HttpCallOutcome run(HttpCall call) {
    const uint64_t op = next_++;
    client_.call({lane_, op}, std::move(call));
    while (!outcomes_.contains(op)) loop_.step(loop_.now() + Duration::seconds(30));
    return outcomes_[op];
  }
  static CertificateSpec serving(std::vector<std::string> names,
                                 std::vector<std::string> addresses) {
    CertificateSpec spec;
    spec.common_name = "127.0.0.1";  // must not count
    spec.dns_names = std::move(names);
    spec.ip_addresses = std::move(addresses);
    spec.for_server = true;
    return spec;
  }

  Loop loop_;
  CurlHttpClient client_;
  LaneId lane_;
  Identity authority_;
  std::unique_ptr<HttpServer> server_;
  std::map<uint64_t, HttpCallOutcome> outcomes_;
  std::vector<std::string> peers_;
  uint64_t next_ = 1;
};

TEST_F(HttpClientTest, CallsAndKeepsTheConnection) {
  serve(serving({"localhost"}, {"127.0.0.1"}));
  for (int i = 0; i < 3; ++i) {
    HttpCall call = call_to("127.0.0.1", "/x");
    call.body = str_cat("body ", i);
    const HttpCallOutcome outcome = run(std::move(call));
    ASSERT_TRUE(outcome.status) << outcome.status.message();
    EXPECT_EQ(outcome.response.code, 201);
    EXPECT_EQ(outcome.response.body, str_cat("body ", i));
    EXPECT_EQ(find_header(outcome.response.headers, "x-method"), "POST");
  }
  EXPECT_EQ(peers_[0], peers_[2]);
  EXPECT_TRUE(run(call_to("localhost", "/x")).status);
}

TEST_F(HttpClientTest, PeersMustProveTheirNameOrAddress) {
  serve(serving({"other.example"}, {"127.0.0.2"}));
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const HttpCallOutcome outcome = run(call_to(host, "/x"));
    EXPECT_EQ(outcome.status.code(), Code::kServiceUnavailable) << host;
  }
  EXPECT_TRUE(peers_.empty());
}

TEST_F(HttpClientTest, OnlyTheBundleIsBelieved) {
  serve(serving({"localhost"}, {"127.0.0.1"}));
  HttpCall call = call_to("127.0.0.1", "/x");
  call.ca_bundle = make_authority("ca", loop_.now())->certificate_pem;
  EXPECT_EQ(run(call).status.code(), Code::kServiceUnavailable);
  call.ca_bundle = "";
  EXPECT_EQ(run(call).status.code(), Code::kServiceUnavailable)
      << "the system does not know our authority";
  call.ca_bundle = "nonsense";
  EXPECT_EQ(run(call).status.code(), Code::kServiceUnavailable);
  EXPECT_TRUE(peers_.empty());
}

TEST_F(HttpClientTest, AServerNeedNotProveItselfWhereAnyWillDo) {
  serve(serving({"elsewhere"}, {}));
  HttpCall call = call_to("127.0.0.1", "/");
  call.ca_bundle.clear();
  EXPECT_EQ(run(call).status.code(), Code::kServiceUnavailable);
  call.any_server = true;
  EXPECT_EQ(run(call).response.code, 201);
}

TEST_F(HttpClientTest, ARefusalIsToldInTheWordsOfGo) {
  serve(serving({}, {"127.0.0.1"}));
  const HttpCall call = call_to("127.0.0.1", "/");
  const int port = server_->port();
  server_.reset();
  EXPECT_EQ(run(call).status.message(),
            str_cat("dial tcp 127.0.0.1:", port, ": connect: connection refused"));
}

TEST_F(HttpClientTest, LimitsTimeAndSizeAndFollowsNothing) {
  serve(serving({}, {"127.0.0.1"}));
  HttpCall call = call_to("127.0.0.1", "/hold");
  call.timeout = Duration::millis(200);
  EXPECT_EQ(run(call).status.code(), Code::kTimeout);
  EXPECT_EQ(run(call_to("127.0.0.1", "/large")).status.code(), Code::kServiceUnavailable);
  EXPECT_EQ(run(call_to("127.0.0.1", "/redirect")).response.code, 302);
  call = call_to("127.0.0.1", "/x");
  call.url.replace(0, 5, "http");
  EXPECT_EQ(run(call).status.code(), Code::kServiceUnavailable) << "HTTPS only";
}

}  // namespace
}  // namespace orrery::realmode
