#include "engine/kubelet/crash_loop.h"

#include <gtest/gtest.h>

namespace orrery::kubelet {
namespace {

/// Ends after `run`, again and again; the delays before the restarts, in seconds.
std::vector<double> delays(CrashLoop& loop, Time& now, Duration run, int times) {
  std::vector<double> out;
  for (int i = 0; i < times; ++i) {
    const Time exit = now + run;
    const Duration delay = loop.delay(exit);
    out.push_back(delay.to_seconds());
    now = exit + delay;
    loop.restarted(exit, now);
  }
  return out;
}

TEST(CrashLoop, DoublesFromTenSecondsToFiveMinutes) {
  CrashLoop loop;
  Time now;
  EXPECT_EQ(delays(loop, now, Duration::seconds(1), 9),
            (std::vector<double>{0, 10, 20, 40, 80, 160, 300, 300, 300}));
}

TEST(CrashLoop, BeginsAnewAfterTenMinutesOfRunning) {
  CrashLoop loop;
  Time now;
  delays(loop, now, Duration::seconds(1), 5);
  EXPECT_EQ(delays(loop, now, Duration::minutes(10), 1), std::vector<double>{160});
  EXPECT_EQ(delays(loop, now, Duration::minutes(10) + Duration::nanos(1), 1),
            std::vector<double>{0});
  EXPECT_EQ(delays(loop, now, Duration::seconds(1), 2), (std::vector<double>{10, 20}));
}

}  // namespace
}  // namespace orrery::kubelet
