#include "engine/server/compactor.h"

#include <gtest/gtest.h>

#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"

namespace orrery::server {
namespace {

class CompactorTest : public testing::Test, public LaneHandler {
 protected:
  CompactorTest()
      : kernel_(Time::from_unix_seconds(1'700'000'000)), store_(&kernel_, &kernel_), lane_(kernel_.open("client", this)) {}
  Env env() { return {&kernel_, &kernel_, nullptr, Rng(1)}; }
  void handle(const Ctx&, const Event& event) override { outcome_ = store_.take(event.b); }
  StoreOutcome put(const char* key) {
    TxnRequest txn;
    StoreOp op;
    op.range.key = key;
    op.value.bytes = "value";
    txn.success.push_back(op);
    store_.txn({lane_, 1}, txn);
    kernel_.run_until(kernel_.now());
    return outcome_;
  }
  StoreOutcome read(const char* key, int64_t revision) {
    RangeRequest range;
    range.key = key;
    range.revision = revision;
    store_.range({lane_, 1}, range);
    kernel_.run_until(kernel_.now());
    return outcome_;
  }
  void run_for(Duration time) { kernel_.run_until(kernel_.now() + time); }

  sim::Kernel kernel_;
  sim::SimStore store_;
  LaneId lane_;
  StoreOutcome outcome_;
};

TEST_F(CompactorTest, WhatWasSupersededFiveMinutesAgoIsForgotten) {
  const Compactor compactor(env(), &store_);
  const int64_t first = put("a").revision;
  put("a");
  run_for(Compactor::kInterval + Duration::seconds(1));
  EXPECT_TRUE(read("a", first).status.is_ok()) << "the first turn only remembers where the store is";
  run_for(Compactor::kInterval);
  EXPECT_EQ(read("a", first).status.code(), Code::kExpired);
  EXPECT_TRUE(read("a", 0).status.is_ok());
}

TEST_F(CompactorTest, OfSeveralServersOneCompactsInEachTurn) {
  const Compactor one(env(), &store_), other(env(), &store_);
  for (int turn = 1; turn <= 4; ++turn) {
    run_for(Compactor::kInterval + Duration::seconds(1));
    const auto found = read("compact_rev_key", 0);
    ASSERT_EQ(found.range.kvs.size(), 1u);
    EXPECT_EQ(found.range.kvs[0].version, turn);
  }
}

}  // namespace
}  // namespace orrery::server
