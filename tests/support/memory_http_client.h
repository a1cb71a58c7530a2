#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "engine/ports/http.h"

namespace orrery::test {

/// Outgoing HTTP without sockets: calls lie in `calls`, in their order, until they are answered.
class MemoryHttpClient final : public HttpClient {
 public:
  explicit MemoryHttpClient(Lanes* lanes) : lanes_(lanes) {}

  void call(Ticket ticket, HttpCall call) override { calls.emplace_back(ticket, std::move(call)); }
  HttpCallOutcome take(uint64_t handle) override { return std::move(outcomes_.at(handle)); }
  /// Of the first call.
  void answer(HttpCallOutcome outcome) {
    const Ticket ticket = calls.front().first;
    calls.pop_front();
    outcomes_[++last_] = std::move(outcome);
    lanes_->post(ticket.lane, {EventKind::kDone, 0, ticket.op, last_});
  }
  void answer(std::string body) {
    HttpCallOutcome outcome;
    outcome.response.body = std::move(body);
    answer(std::move(outcome));
  }

  std::deque<std::pair<Ticket, HttpCall>> calls;

 private:
  Lanes* lanes_;
  uint64_t last_ = 0;
  std::map<uint64_t, HttpCallOutcome> outcomes_;
};

}  // namespace orrery::test
