#pragma once

#include <map>
#include <string>
#include <utility>

#include "engine/ports/http.h"

namespace orrery::test {

/// HTTP without sockets: requests are put in, answers lie in `answers` and `streams`.
class MemoryTransport final : public HttpTransport {
 public:
  explicit MemoryTransport(Lanes* lanes) : lanes_(lanes) {}

  /// The exchange of the request.
  uint64_t send(HttpRequest request) {
    const uint64_t exchange = ++last_;
    requests_[exchange] = std::move(request);
    if (lane_.valid()) lanes_->post(lane_, {EventKind::kUser, 0, kHttpRequestArrived, exchange});
    return exchange;
  }
  void hang_up(uint64_t exchange) { lanes_->post(lane_, {EventKind::kUser, 0, kHttpPeerGone, exchange}); }
  bool subscribed() const { return lane_.valid(); }

  void subscribe(LaneId lane) override { lane_ = lane; }
  HttpRequest take_request(uint64_t exchange) override { return std::move(requests_.at(exchange)); }
  void respond(uint64_t exchange, HttpResponse response) override { answers[exchange] = std::move(response); }
  void begin_stream(uint64_t exchange, HttpResponse head) override {
    streams[exchange] = head.body;
    answers[exchange] = std::move(head);
  }
  bool write(uint64_t exchange, std::string_view piece) override {
    streams[exchange] += piece;
    return true;
  }
  void end_stream(uint64_t exchange) override { ended[exchange] = true; }
  std::string take_input(uint64_t exchange) override { return std::exchange(input[exchange], {}); }
  void forward(uint64_t exchange, HttpForward to) override { forwards[exchange] = std::move(to); }
  HttpForwardOutcome take_forward(uint64_t exchange) override { return std::move(outcomes_.at(exchange)); }
  /// Ends a forward.
  void end_forward(uint64_t exchange, HttpForwardOutcome outcome) {
    outcomes_[exchange] = std::move(outcome);
    lanes_->post(lane_, {EventKind::kUser, 0, kHttpForwarded, exchange});
  }
  /// The peer sends through a tunnel.
  void send_input(uint64_t exchange, std::string_view bytes) {
    input[exchange] += bytes;
    lanes_->post(lane_, {EventKind::kUser, 0, kHttpInput, exchange});
  }

  std::map<uint64_t, HttpResponse> answers;
  std::map<uint64_t, std::string> streams;
  std::map<uint64_t, bool> ended;
  std::map<uint64_t, HttpForward> forwards;
  std::map<uint64_t, std::string> input;

 private:
  Lanes* lanes_;
  LaneId lane_;
  uint64_t last_ = 0;
  std::map<uint64_t, HttpRequest> requests_;
  std::map<uint64_t, HttpForwardOutcome> outcomes_;
};

}  // namespace orrery::test
