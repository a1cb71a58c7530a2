#pragma once

#include <functional>
#include <memory>
#include <string_view>
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

/// Calls on a store, one after the other: each waits for its outcome.
class StoreDriver {
 protected:
  Store& store() { return fixture_->store(); }
  /// Waits for the outcome of the call under way.
  StoreOutcome finish();
  StoreOutcome put(std::string_view key, std::string_view value, int64_t lease = 0);
  StoreOutcome erase(std::string_view key);
  StoreOutcome get(RangeRequest request);
  StoreOutcome txn(TxnRequest request);
  StoreOutcome compact(int64_t revision);
  /// Of all keys from "a" to "z".
  StoreWatchId watch_all(int64_t start_revision = 0);
  /// What the watch has brought: at least `count` events unless they do not come, and any others
  /// that follow at once.
  std::vector<StoreWatchEvent> drain(StoreWatchId watch, size_t count);
  int64_t grant_lease();
  static RangeRequest all();

  std::unique_ptr<StoreFixture> fixture_;
};

}  // namespace orrery::contract
