#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "engine/ports/store.h"

namespace orrery::contract {

/// A store under test with what drives it. pump() lets everything that is due happen; pass() lets
/// time pass as well.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  virtual Store& store() = 0;
  virtual LaneId lane() = 0;
  virtual void pump() = 0;
  virtual void pass(Duration time) = 0;
  /// Filled by the lane's handler.
  std::vector<Event> events;
};

using StoreFactory = std::function<std::unique_ptr<StoreFixture>()>;

/// What every Store must do, whatever it is made of.
class StoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override { fixture_ = GetParam()(); }
  Store& store() { return fixture_->store(); }
  StoreOutcome finish();
  StoreOutcome put(const char* key, const char* value, int64_t lease = 0);
  StoreOutcome erase(const char* key);
  StoreOutcome get(RangeRequest request);
  StoreOutcome txn(TxnRequest request);
  std::vector<StoreWatchEvent> drain(StoreWatchId watch);
  static RangeRequest all();

  std::unique_ptr<StoreFixture> fixture_;
};

}  // namespace orrery::contract
