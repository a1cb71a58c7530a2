#include "engine/server/connect/log_text.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

constexpr Time kStart = Time::from_unix_seconds(1'700'000'000);

std::vector<LogLine> lines(int count) {
  std::vector<LogLine> out;
  for (int i = 0; i < count; ++i) out.push_back({kStart + Duration::seconds(i), str_cat("line ", i)});
  return out;
}

TEST(LogText, TailCountsOnlyWhatIsThereAtFirst) {
  corev1::PodLogOptions options;
  options.tail_lines = 1;
  LogText text(options, kStart);
  EXPECT_EQ(text.next(lines(3)), "line 2\n");
  EXPECT_EQ(text.next(lines(3)), "");
  EXPECT_EQ(text.next(lines(6)), "line 3\nline 4\nline 5\n");
}

TEST(LogText, SinceAndTimesAndBytes) {
  corev1::PodLogOptions options;
  options.since_seconds = 2;
  options.timestamps = true;
  EXPECT_EQ(LogText(options, kStart + Duration::seconds(3)).next(lines(3)),
            "2023-11-14T22:13:21Z line 1\n2023-11-14T22:13:22Z line 2\n");
  options = {};
  options.since_time = api::Timestamp(kStart + Duration::seconds(2));
  options.limit_bytes = 9;
  LogText text(options, kStart);
  EXPECT_EQ(text.next(lines(3)), "line 2\n");
  EXPECT_FALSE(text.full());
  EXPECT_EQ(text.next(lines(4)), "li");
  EXPECT_TRUE(text.full());
}

}  // namespace
}  // namespace orrery::server
