#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "engine/server/rest/rest.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"
#include "tests/support/memory_http_client.h"
#include "tests/support/memory_transport.h"

namespace orrery::server {

inline Server::Options server_options() {
  Server::Options options;
  options.serves_clients = true;
  options.services = {"10.96.0.0/16", 30000, 32767};
  return options;
}

inline ServerOptions options_with_tokens() {
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
        http_(&kernel_),
        server_(env_, &store_, server_options()),
        rest_(env_, {&server_, &transport_, nullptr, &http_}, std::move(options), {}) {
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
  test::MemoryHttpClient http_;
  Server server_;
  Rest rest_;
};

inline constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";

}  // namespace orrery::server
