#pragma once

#include <functional>

#include "realmode/loop/loop.h"
#include "tests/contract/store_driver.h"

namespace orrery::contract {

/// A loop whose worker is the test's own thread, so that tests read `events` without locks.
class RealTimeFixture : public StoreFixture, public LaneHandler {
 public:
  LaneId lane() override { return lane_; }
  void run_until(const std::function<bool()>& done) override {
    const Time limit = loop_.now() + kPatience;
    while (!done() && loop_.step(limit)) {
    }
  }
  void settle() override {
    while (loop_.step(loop_.now() + Duration::millis(50))) {
    }
  }
  void pass(Duration time) override {
    const Time limit = loop_.now() + time;
    while (loop_.step(limit)) {
    }
  }
  Duration lease_ttl() const override { return Duration::seconds(5); }
  Duration lease_slack() const override { return Duration::seconds(2); }
  void handle(const Ctx&, const Event& event) override { events.push_back(event); }

 protected:
  static constexpr Duration kPatience = Duration::seconds(120);
  realmode::Loop loop_;
  LaneId lane_ = loop_.open("client", this);
};

}  // namespace orrery::contract
