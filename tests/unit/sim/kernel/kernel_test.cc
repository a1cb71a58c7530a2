#include "sim/kernel/kernel.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace orrery::sim {
namespace {

/// Records what it is given; may react.
struct Recorder : LaneHandler {
  std::vector<std::pair<int64_t, uint64_t>> seen;  // (now, a)
  void handle(const Ctx& ctx, const Event& event) override { seen.emplace_back(ctx.now.ns, event.a); }
};

Event number(uint64_t a) { return {EventKind::kUser, 0, a, 0}; }

TEST(Kernel, RunsInTimeOrderAndFirstInFirstOutAtEqualTimes) {
  Kernel kernel;
  Recorder recorder;
  const LaneId lane = kernel.open("r", &recorder);
  kernel.arm(lane, Time{30}, number(1));
  kernel.arm(lane, Time{10}, number(2));
  kernel.arm(lane, Time{30}, number(3));
  kernel.arm(lane, Time{10}, number(4));
  kernel.post(lane, number(5));
  kernel.run();
  const std::vector<std::pair<int64_t, uint64_t>> expected = {{0, 5}, {10, 2}, {10, 4}, {30, 1}, {30, 3}};
  EXPECT_EQ(recorder.seen, expected);
  EXPECT_EQ(kernel.events_executed(), 5u);
  EXPECT_EQ(kernel.now().ns, 30);
}

TEST(Kernel, AgreesWithAStableSortOnRandomTimes) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RngStream rng(seed, "times");
    Kernel kernel(Time{1'000'000});
    Recorder recorder;
    const LaneId lane = kernel.open("r", &recorder);
    std::vector<std::pair<int64_t, uint64_t>> expected;
    for (uint64_t i = 0; i < 500; ++i) {
      const auto at = static_cast<int64_t>(1'000'000 + rng.below(i % 3 == 0 ? 50 : 1u << 30));
      kernel.arm(lane, Time{at}, number(i));
      expected.emplace_back(at, i);
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    kernel.run();
    EXPECT_EQ(recorder.seen, expected) << "seed " << seed;
  }
}

TEST(Kernel, TimesBeforeAndAfterZeroRunInOrder) {
  Kernel kernel(Time{INT64_MIN / 2});
  Recorder recorder;
  const LaneId lane = kernel.open("r", &recorder);
  std::vector<std::pair<int64_t, uint64_t>> expected;
  for (const int64_t at : {5l, -7l, INT64_MAX, 0l, INT64_MIN / 4, -1l, 64l}) {
    kernel.arm(lane, Time{at}, number(0));
    expected.emplace_back(at, 0);
  }
  std::sort(expected.begin(), expected.end());
  kernel.run();
  EXPECT_EQ(recorder.seen, expected);
}

// Each event posts two more for now, up to a number: what has run is dropped from the queue in between.
TEST(Kernel, ManyEventsOfOneTimeKeepTheirOrder) {
  struct Doubler final : LaneHandler {
    void handle(const Ctx&, const Event& event) override {
      in_order = in_order && event.a == ran++;
      for (int i = 0; i < 2 && posted < events; ++i) kernel->post(lane, number(posted++));
    }
    Kernel* kernel = nullptr;
    LaneId lane;
    uint64_t events = 50'000, posted = 1, ran = 0;
    bool in_order = true;
  };
  Kernel kernel;
  Doubler doubler;
  doubler.kernel = &kernel;
  doubler.lane = kernel.open("d", &doubler);
  kernel.post(doubler.lane, number(0));
  kernel.run();
  EXPECT_TRUE(doubler.in_order);
  EXPECT_EQ(doubler.ran, doubler.events);
  EXPECT_EQ(kernel.pending(), 0u);
}

TEST(Kernel, CancelledTimersNeverRunAndTheirIdsStayDead) {
  Kernel kernel;
  Recorder recorder;
  const LaneId lane = kernel.open("r", &recorder);
  const TimerId timer = kernel.arm(lane, Time{5}, number(1));
  EXPECT_TRUE(kernel.cancel(timer));
  EXPECT_FALSE(kernel.cancel(timer));
  kernel.arm(lane, Time{7}, number(2));
  EXPECT_FALSE(kernel.cancel(timer)) << "the slot is reused, the id is not";
  kernel.run_until(Time{100});
  EXPECT_EQ(recorder.seen.size(), 1u);
  EXPECT_EQ(kernel.now().ns, 100);
  kernel.post(lane, number(3));
  kernel.run();
  EXPECT_EQ(recorder.seen.back(), std::make_pair(int64_t{100}, uint64_t{3}));
}

TEST(Kernel, RunUntilStopsAtTheLimitAndKeepsLaterEvents) {
  Kernel kernel;
  Recorder recorder;
  const LaneId lane = kernel.open("r", &recorder);
  kernel.arm(lane, Time{1000}, number(1));
  kernel.run_until(Time{999});
  EXPECT_TRUE(recorder.seen.empty());
  kernel.arm(lane, Time{999}, number(2));
  kernel.run_until(Time{1000});
  ASSERT_EQ(recorder.seen.size(), 2u);
  EXPECT_EQ(recorder.seen[0].second, 2u);
}

struct Charging : Recorder {
  Kernel* kernel = nullptr;
  LaneId lane;
  void handle(const Ctx& ctx, const Event& event) override {
    Recorder::handle(ctx, event);
    kernel->charge(lane, Duration{100});
  }
};

TEST(Kernel, AChargedLaneDelaysItsOwnEventsInOrderAndNobodyElses) {
  Kernel kernel;
  Charging slow;
  Recorder fast;
  slow.kernel = &kernel;
  slow.lane = kernel.open("slow", &slow);
  const LaneId other = kernel.open("fast", &fast);
  for (uint64_t i = 0; i < 3; ++i) kernel.post(slow.lane, number(i));
  kernel.arm(slow.lane, Time{150}, number(3));
  kernel.arm(slow.lane, Time{200}, number(4));
  kernel.arm(other, Time{150}, number(9));
  kernel.run();
  const std::vector<std::pair<int64_t, uint64_t>> expected = {{0, 0}, {100, 1}, {200, 2}, {300, 3}, {400, 4}};
  EXPECT_EQ(slow.seen, expected);
  EXPECT_EQ(fast.seen[0].first, 150);
}

TEST(Kernel, AWaitingEventCanBeCancelled) {
  Kernel kernel;
  Charging slow;
  slow.kernel = &kernel;
  slow.lane = kernel.open("slow", &slow);
  kernel.post(slow.lane, number(0));
  const TimerId timer = kernel.arm(slow.lane, Time{10}, number(1));
  kernel.arm(slow.lane, Time{20}, number(2));
  kernel.run_until(Time{50});
  EXPECT_TRUE(kernel.cancel(timer));
  kernel.run();
  ASSERT_EQ(slow.seen.size(), 2u);
  EXPECT_EQ(slow.seen[1], std::make_pair(int64_t{100}, uint64_t{2}));
}

/// A deterministic workload: each event arms or posts others on lanes drawn from its own stream.
struct Chaotic : LaneHandler {
  Kernel* kernel = nullptr;
  std::vector<LaneId> lanes;
  RngStream rng;
  uint64_t left = 0;
  void handle(const Ctx& ctx, const Event& event) override {
    if (left == 0) return;
    --left;
    const LaneId to = lanes[rng.below(lanes.size())];
    if (rng.below(4) == 0) {
      kernel->post(to, number(event.a + 1));
    } else {
      kernel->arm(to, ctx.now + Duration{static_cast<int64_t>(rng.below(1000))}, number(event.a * 3));
    }
    if (rng.below(8) == 0) kernel->charge(to, Duration{5});
  }
};

void populate(Kernel& kernel, std::vector<Chaotic>& parts) {
  std::vector<LaneId> lanes;
  for (auto& part : parts) lanes.push_back(kernel.open("c", &part));
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].kernel = &kernel;
    parts[i].lanes = lanes;
    parts[i].rng = RngStream(7, "chaos", i);
    parts[i].left = 2000;
    for (uint64_t k = 0; k < 10; ++k) kernel.post(lanes[i], number(k));
  }
}

uint64_t chaotic_digest(uint64_t shuffle) {
  Kernel kernel;
  if (shuffle) kernel.set_tie_shuffle(shuffle);
  std::vector<Chaotic> parts(5);
  populate(kernel, parts);
  kernel.run();
  return kernel.digest();
}

TEST(Kernel, AForkInMidRunContinuesToTheSameDigest) {
  Kernel kernel;
  std::vector<Chaotic> parts(5);
  populate(kernel, parts);
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(kernel.step());
  Kernel copy = kernel.fork();
  std::vector<Chaotic> twins = parts;
  for (size_t i = 0; i < twins.size(); ++i) {
    twins[i].kernel = &copy;
    copy.rebind(twins[i].lanes[i], &twins[i]);
  }
  kernel.run();
  copy.run();
  EXPECT_EQ(kernel.digest(), copy.digest());
  EXPECT_EQ(kernel.events_executed(), copy.events_executed());
  EXPECT_EQ(kernel.digest(), chaotic_digest(0));
}

TEST(Kernel, KernelsInTwoThreadsDoNotDisturbEachOther) {
  const uint64_t alone = chaotic_digest(0);
  uint64_t a = 0, b = 0;
  std::thread first([&] { a = chaotic_digest(0); });
  std::thread second([&] { b = chaotic_digest(0); });
  first.join();
  second.join();
  EXPECT_EQ(a, alone);
  EXPECT_EQ(b, alone);
}

TEST(Kernel, TieShuffleIsSeededAndKeepsEachLanesOrder) {
  EXPECT_EQ(chaotic_digest(1), chaotic_digest(1));
  EXPECT_NE(chaotic_digest(1), chaotic_digest(2));
  Kernel kernel;
  kernel.set_tie_shuffle(3);
  std::vector<Recorder> recorders(4);
  std::vector<uint64_t> order;
  for (auto& recorder : recorders) {
    const LaneId lane = kernel.open("r", &recorder);
    for (uint64_t i = 0; i < 50; ++i) kernel.arm(lane, Time{5}, number(i));
  }
  kernel.run();
  for (const auto& recorder : recorders) {
    ASSERT_EQ(recorder.seen.size(), 50u);
    for (uint64_t i = 0; i < 50; ++i) EXPECT_EQ(recorder.seen[i].second, i);
  }
}

// Against a queue that is simple: by time, then by sequence. What is pushed lies at once, close by, within
// what was just taken in order, or far ahead.
TEST(RadixQueue, EntriesLeaveByTimeAndThenInTheOrderInWhichTheyCame) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    RngStream rng(seed, "queue");
    RadixQueue queue;
    std::set<std::pair<int64_t, uint32_t>> expected;
    int64_t now = seed % 2 ? 0 : -1'000'000'000'000;
    queue.reset_if_empty(now);
    const int64_t spans[] = {0, 3, 200, 5'000, 300'000, 1'000'000'000, 5'000'000'000'000};
    for (uint32_t i = 0; i < 20'000; ++i) {
      const size_t pushes = rng.below(i < 10'000 ? 3 : 2) * (rng.below(50) == 0 ? 150 : 1);
      const int64_t span = spans[rng.below(seed % 7 + 1)];
      for (size_t k = 0; k < pushes; ++k) {
        const auto sequence = static_cast<uint32_t>(i * 1000 + k);
        const int64_t at = now + (span == 0 ? 0 : static_cast<int64_t>(rng.below(static_cast<uint64_t>(span))));
        queue.push({at, sequence, 0});
        expected.emplace(at, sequence);
      }
      RadixQueue::Entry entry{};
      const int64_t limit = rng.below(10) == 0 ? now + 100 : INT64_MAX;
      const bool due = !expected.empty() && expected.begin()->first <= limit;
      ASSERT_EQ(queue.pop(limit, &entry, [](const RadixQueue::Entry&) {}), due);
      if (!due) continue;
      ASSERT_EQ(std::make_pair(entry.time, entry.slot), *expected.begin()) << "seed " << seed << ", step " << i;
      expected.erase(expected.begin());
      now = entry.time;
      ASSERT_EQ(queue.size(), expected.size());
    }
  }
}

}  // namespace
}  // namespace orrery::sim
