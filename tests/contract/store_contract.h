#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "engine/ports/store.h"

namespace orrery::contract {

/// A store under test with what drives its world, virtual or real.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  virtual Store& store() = 0;
  virtual LaneId lane() = 0;
  /// Lets the world go on until done(), which is asked again after each event of lane(); gives up
  /// when nothing more can come or has come for long.
  virtual void run_until(const std::function<bool()>& done) = 0;
  /// Lets everything arrive that is under way.
  virtual void settle() = 0;
  /// Lets time pass.
  virtual void pass(Duration time) = 0;
  /// The life of the leases under test, and how much later than promised one may end.
  virtual Duration lease_ttl() const = 0;
  virtual Duration lease_slack() const = 0;
  /// False: request_progress() may remain without answer.
  virtual bool answers_progress() const { return true; }
  /// Filled by the lane's handler.
  std::vector<Event> events;
};

/// nullptr: what the store needs is not installed.
using StoreFactory = std::function<std::unique_ptr<StoreFixture>()>;

/// What every Store must do, whatever it is made of.
class StoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    fixture_ = GetParam()();
    if (!fixture_) GTEST_SKIP() << "what this store needs is not installed";
  }
  Store& store() { return fixture_->store(); }
  /// Waits for the outcome of the call under way.
  StoreOutcome finish();
  StoreOutcome put(const char* key, const char* value, int64_t lease = 0);
  StoreOutcome erase(const char* key);
  StoreOutcome get(RangeRequest request);
  StoreOutcome txn(TxnRequest request);
  /// What the watch has brought: at least `count` events unless they do not come, and any others
  /// that follow at once.
  std::vector<StoreWatchEvent> drain(StoreWatchId watch, size_t count);
  int64_t grant_lease();
  static RangeRequest all();

  std::unique_ptr<StoreFixture> fixture_;
};

}  // namespace orrery::contract
