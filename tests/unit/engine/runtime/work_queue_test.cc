#include "engine/runtime/work_queue.h"

#include <gtest/gtest.h>

#include "engine/base/rng.h"
#include "sim/kernel/kernel.h"

namespace orrery {
namespace {

struct QueueLane : LaneHandler {
  explicit QueueLane(sim::Kernel& k) : kernel(&k), lane(k.open("queue", this)) {}
  void handle(const Ctx& ctx, const Event& event) override {
    queue.on_timer(event);
    while (!queue.empty()) {
      const Str key = queue.get();
      seen.emplace_back(ctx.now.ns / 1'000'000, key.str());
      queue.done(key);
    }
  }
  sim::Kernel* kernel;
  LaneId lane;
  WorkQueue<Str> queue;
  std::vector<std::pair<int64_t, std::string>> seen;
};

TEST(WorkQueue, GivesKeysOnceInTheOrderOfTheirFirstAdd) {
  WorkQueue<Str> queue;
  for (const char* key : {"b", "a", "b", "c", "a"}) queue.add(key);
  EXPECT_EQ(queue.size(), 3u);
  for (const char* key : {"b", "a", "c"}) {
    EXPECT_EQ(queue.get(), key);
    queue.done(key);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(WorkQueue, AKeyAddedWhileProcessedComesBackAfterDone) {
  WorkQueue<uint64_t> queue;
  queue.add(7);
  EXPECT_EQ(queue.get(), 7u);
  queue.add(7);
  queue.add(8);
  queue.add(7);
  EXPECT_EQ(queue.get(), 8u);
  EXPECT_TRUE(queue.empty()) << "7 is being processed";
  queue.done(7);
  EXPECT_EQ(queue.get(), 7u);
  queue.done(8);
  queue.done(7);
  EXPECT_TRUE(queue.empty());
}

TEST(WorkQueue, FailedKeysWaitTwiceAsLongEachTimeUntilForgotten) {
  sim::Kernel kernel;
  QueueLane lane(kernel);
  const std::vector<int64_t> expected = {5, 15, 35, 75, 155};
  for (size_t i = 0; i < expected.size(); ++i) {
    lane.queue.add_rate_limited(kernel, lane.lane, "a");
    kernel.run();
    EXPECT_EQ(lane.seen.back().first, expected[i]);
  }
  EXPECT_EQ(lane.queue.failures("a"), 5u);
  lane.queue.forget("a");
  lane.queue.add_rate_limited(kernel, lane.lane, "a");
  kernel.run();
  EXPECT_EQ(lane.seen.back().first, 160);
}

TEST(WorkQueue, TheOverallBucketLetsAHundredPassThenTenASecond) {
  sim::Kernel kernel;
  QueueLane lane(kernel);
  for (int i = 0; i < 103; ++i) lane.queue.add_rate_limited(kernel, lane.lane, str_cat("k", i));
  kernel.run();
  ASSERT_EQ(lane.seen.size(), 103u);
  EXPECT_EQ(lane.seen[99].first, 5);
  EXPECT_EQ(lane.seen[100].first, 100);
  EXPECT_EQ(lane.seen[102].first, 300);
}

TEST(WorkQueue, TheEarliestOfSeveralDelaysCounts) {
  sim::Kernel kernel;
  QueueLane lane(kernel);
  lane.queue.add_after(kernel, lane.lane, "a", Duration::millis(50));
  lane.queue.add_after(kernel, lane.lane, "a", Duration::millis(20));
  lane.queue.add_after(kernel, lane.lane, "a", Duration::millis(70));
  kernel.run();
  const std::vector<std::pair<int64_t, std::string>> expected = {{20, "a"}};
  EXPECT_EQ(lane.seen, expected);
}

TEST(KeyTable, AgreesWithAReferenceUnderRandomInsertsAndErases) {
  RngStream rng(1, "keys");
  KeyTable<uint64_t> table;
  std::vector<uint32_t> slots(200, KeyTable<uint64_t>::kNone);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t key = rng.below(slots.size());
    ASSERT_EQ(table.find(key), slots[key]);
    if (slots[key] == KeyTable<uint64_t>::kNone) {
      slots[key] = table.insert(key).first;
    } else {
      table.erase(slots[key]);
      slots[key] = KeyTable<uint64_t>::kNone;
    }
  }
  EXPECT_LE(table.slot_limit(), slots.size());
}

TEST(TokenBucket, TryTakeRefusesWhatReserveWouldDelay) {
  TokenBucket bucket(Duration::seconds(10), 2);
  EXPECT_TRUE(bucket.try_take(Time{0}));
  EXPECT_TRUE(bucket.try_take(Time{0}));
  EXPECT_FALSE(bucket.try_take(Time{0} + Duration::seconds(9)));
  EXPECT_TRUE(bucket.try_take(Time{0} + Duration::seconds(10)));
}

}  // namespace
}  // namespace orrery
