#include "tests/contract/store_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace orrery::contract {

StoreOutcome StoreDriver::finish() {
  std::optional<StoreOutcome> outcome;
  fixture_->run_until([&] {
    auto& events = fixture_->events;
    const auto done = std::find_if(events.begin(), events.end(), [](const Event& event) {
      return event.kind == EventKind::kDone;
    });
    if (done == events.end()) return false;
    outcome = store().take(done->b);
    events.erase(done);
    return true;
  });
  if (outcome) return std::move(*outcome);
  ADD_FAILURE() << "no outcome";
  return {};
}

StoreOutcome StoreDriver::txn(TxnRequest request) {
  store().txn({fixture_->lane(), 1}, std::move(request));
  return finish();
}

StoreOutcome StoreDriver::put(std::string_view key, std::string_view value, int64_t lease) {
  StoreOp op;
  op.range.key = Str(key);
  op.value.bytes = Str(value);
  op.lease = lease;
  return txn({{}, {op}, {}});
}

StoreOutcome StoreDriver::erase(std::string_view key) {
  StoreOp op;
  op.kind = StoreOp::Kind::kDelete;
  op.range.key = Str(key);
  return txn({{}, {op}, {}});
}

StoreOutcome StoreDriver::get(RangeRequest request) {
  store().range({fixture_->lane(), 2}, std::move(request));
  return finish();
}

std::vector<StoreWatchEvent> StoreDriver::drain(StoreWatchId watch, size_t count) {
  std::vector<StoreWatchEvent> out;
  fixture_->run_until([&] {
    store().drain(watch, out);
    return out.size() >= count;
  });
  fixture_->settle();
  store().drain(watch, out);
  return out;
}

StoreOutcome StoreDriver::compact(int64_t revision) {
  store().compact({fixture_->lane(), 3}, revision);
  return finish();
}

StoreWatchId StoreDriver::watch_all(int64_t start_revision) {
  StoreWatchRequest request;
  request.key = "a";
  request.range_end = "z";
  request.start_revision = start_revision;
  return store().watch(fixture_->lane(), request);
}

int64_t StoreDriver::grant_lease() {
  store().lease_grant({fixture_->lane(), 4}, fixture_->lease_ttl());
  return finish().lease;
}

RangeRequest StoreDriver::all() {
  RangeRequest request;
  request.key = "a";
  request.range_end = "z";
  return request;
}

}  // namespace orrery::contract
