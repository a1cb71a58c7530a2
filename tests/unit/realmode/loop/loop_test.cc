#include "realmode/loop/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace orrery::realmode {
namespace {

Event number(uint64_t a) { return {EventKind::kUser, 0, a, 0}; }

/// Records what it is given; may react.
struct Recorder : LaneHandler {
  std::vector<uint64_t> seen;
  std::vector<Time> times;
  std::function<void(const Event&)> reaction;
  void handle(const Ctx& ctx, const Event& event) override {
    seen.push_back(event.a);
    times.push_back(ctx.now);
    if (reaction) reaction(event);
  }
};

void run_for(Loop& loop, Duration time) {
  const Time limit = loop.now() + time;
  while (loop.step(limit)) {
  }
}

TEST(Loop, RunsEachEventOfALaneInTheOrderOfItsPosting) {
  Loop loop;
  Recorder one, two;
  const LaneId first = loop.open("one", &one), second = loop.open("two", &two);
  one.reaction = [&](const Event& event) {
    if (event.a == 0) loop.post(second, number(100));
  };
  for (uint64_t i = 0; i < 5; ++i) loop.post(first, number(i));
  loop.post(second, number(99));
  run_for(loop, Duration::millis(1));
  EXPECT_EQ(one.seen, (std::vector<uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(two.seen, (std::vector<uint64_t>{99, 100}));
}

TEST(Loop, TimersComeInTheOrderOfTheirTimesAndNeverEarly) {
  Loop loop;
  Recorder recorder;
  const LaneId lane = loop.open("r", &recorder);
  const Time start = loop.now();
  loop.arm(lane, start + Duration::millis(20), number(3));
  loop.arm(lane, start + Duration::millis(10), number(2));
  loop.arm(lane, start, number(1));
  loop.arm(lane, start + Duration::millis(20), number(4));
  while (recorder.seen.size() < 4) ASSERT_TRUE(loop.step(start + Duration::seconds(60)));
  EXPECT_EQ(recorder.seen, (std::vector<uint64_t>{1, 2, 3, 4}));
  EXPECT_GE(recorder.times[1], start + Duration::millis(10));
  EXPECT_GE(recorder.times[3], start + Duration::millis(20));
}

TEST(Loop, ATimerThatIsDueKeepsItsPlaceAmongPostsAndCanStillBeCancelled) {
  Loop loop;
  Recorder recorder;
  const LaneId lane = loop.open("r", &recorder);
  loop.post(lane, number(1));
  loop.arm(lane, Time{0}, number(2));
  loop.post(lane, number(3));
  const TimerId due = loop.arm(lane, Time{0}, number(4));
  const TimerId later = loop.arm(lane, loop.now() + Duration::millis(1), number(5));
  EXPECT_TRUE(loop.cancel(due));
  EXPECT_FALSE(loop.cancel(due));
  EXPECT_TRUE(loop.cancel(later));
  run_for(loop, Duration::millis(5));
  EXPECT_EQ(recorder.seen, (std::vector<uint64_t>{1, 2, 3}));
}

TEST(Loop, AClosedLaneReceivesNothing) {
  Loop loop;
  Recorder recorder;
  const LaneId lane = loop.open("r", &recorder);
  recorder.reaction = [&](const Event&) { loop.close(lane); };
  loop.post(lane, number(1));
  loop.post(lane, number(2));
  loop.arm(lane, Time{0}, number(3));
  run_for(loop, Duration::millis(1));
  EXPECT_EQ(recorder.seen, std::vector<uint64_t>{1});
}

TEST(Loop, ThreadsMayPostWhileTheWorkerRuns) {
  Loop loop;
  Recorder recorder;
  std::atomic<uint64_t> count = 0;
  recorder.reaction = [&](const Event&) { ++count; };
  const LaneId lane = loop.open("r", &recorder);
  loop.start();
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 1000; ++i) {
        loop.post(lane, number(t * 1000 + i));
        if (i % 10 == 0) loop.cancel(loop.arm(lane, loop.now() + Duration::hours(1), number(0)));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  while (count < 4000) std::this_thread::yield();
  loop.stop();
  std::vector<uint64_t> last(4, 0);
  for (const uint64_t value : recorder.seen) {
    EXPECT_EQ(last[value / 1000]++, value % 1000) << "a thread's posts keep their order";
  }
}

TEST(Loop, CloseWaitsForTheRunningHandler) {
  Loop loop;
  std::atomic<bool> entered = false, left = false;
  Recorder recorder;
  recorder.reaction = [&](const Event&) {
    entered = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    left = true;
  };
  const LaneId lane = loop.open("r", &recorder);
  loop.start();
  loop.post(lane, number(1));
  while (!entered) std::this_thread::yield();
  loop.close(lane);
  EXPECT_TRUE(left);
}

TEST(Loop, StopsFromAHandlerAndGoesOnWhereItStood) {
  Loop loop;
  Recorder recorder;
  recorder.reaction = [&](const Event& event) {
    if (event.a % 2 == 1) loop.stop();
  };
  const LaneId lane = loop.open("r", &recorder);
  for (uint64_t i = 1; i <= 3; ++i) loop.post(lane, number(i));
  loop.run();
  EXPECT_EQ(recorder.seen, std::vector<uint64_t>{1});
  loop.run();
  EXPECT_EQ(recorder.seen, (std::vector<uint64_t>{1, 2, 3}));
}

TEST(Loop, AWorkerStoppedBeforeItBeganEnds) {
  for (int i = 0; i < 50; ++i) {
    Loop loop;
    loop.start();
  }
}

TEST(SteadyTime, FollowsTheSystemClockSlowlyAndNeverGoesBack) {
  constexpr int64_t kSecond = 1'000'000'000;
  SteadyTime time(5 * kSecond, 1000 * kSecond);
  EXPECT_EQ(time.at(6 * kSecond, 1001 * kSecond).ns, 1001 * kSecond);
  EXPECT_EQ(time.at(14 * kSecond, 2000 * kSecond).ns, 1010 * kSecond) << "a jump ahead";
  EXPECT_EQ(time.at(22 * kSecond, 10 * kSecond).ns, 1017 * kSecond) << "a jump back";
  EXPECT_EQ(time.at(22 * kSecond, 0).ns, 1017 * kSecond);
  EXPECT_EQ(time.at(30 * kSecond, 1025 * kSecond + 1).ns, 1025 * kSecond + 1);
}

}  // namespace
}  // namespace orrery::realmode
