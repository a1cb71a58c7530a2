#include "realmode/etcd/inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "realmode/loop/loop.h"

namespace orrery::realmode {
namespace {

struct Owner : LaneHandler {
  explicit Owner(Loop* loop) : inbox(loop) { inbox.set_lane(loop->open("owner", this)); }
  void handle(const Ctx&, const Event&) override { inbox.run(); }
  Inbox inbox;
};

TEST(Inbox, TasksOfManyThreadsRunOnTheLaneInTheOrderOfEach) {
  Loop loop;
  Owner owner(&loop);
  constexpr int kThreads = 4, kTasks = 500;
  std::vector<int> next(kThreads, 0);
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        owner.inbox.begin();
        owner.inbox.push([&, t, i] {
          EXPECT_EQ(next[static_cast<size_t>(t)]++, i);
          ++ran;
        });
        owner.inbox.end();
      }
    });
  }
  while (ran < kThreads * kTasks) ASSERT_TRUE(loop.step(loop.now() + Duration::seconds(30)));
  for (auto& thread : threads) thread.join();
}

TEST(Inbox, ClosingWaitsForWhatIsUnderWayAndDropsTheRest) {
  Loop loop;
  Owner owner(&loop);
  std::atomic<bool> ended = false;
  bool ran = false;
  owner.inbox.begin();
  std::thread operation([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    owner.inbox.push([&] { ran = true; });
    ended = true;
    owner.inbox.end();
  });
  owner.inbox.close();
  EXPECT_TRUE(ended);
  operation.join();
  owner.inbox.run();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace orrery::realmode
