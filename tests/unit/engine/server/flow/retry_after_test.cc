#include "engine/server/flow/retry_after.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

// `each` refusals in a second; what the first one is told.
int refuse(RetryAfter& retry, int64_t second, int each, const char* level = "l") {
  const Time now = Time::from_unix_seconds(1'700'000'000 + second);
  const int told = retry.refused(Str(level), now);
  for (int i = 1; i < each; ++i) retry.refused(Str(level), now);
  return told;
}

TEST(RetryAfter, DoublesWhileManyAreRefusedAndFallsByOneWhenFewAre) {
  RetryAfter retry;
  std::vector<int> told;
  for (int64_t second = 0; second < 16; ++second) told.push_back(refuse(retry, second, 10));
  EXPECT_EQ(told, (std::vector<int>{1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 16}));
  EXPECT_EQ(refuse(retry, 15, 1, "other"), 1);
  told.clear();
  for (int64_t second = 100; second < 104; ++second) told.push_back(refuse(retry, second, 1));
  EXPECT_EQ(told, (std::vector<int>{15, 14, 13, 12}));
  for (int64_t second = 200; second < 400; ++second) refuse(retry, second, 100);
  EXPECT_EQ(refuse(retry, 400, 1), 32);
}

}  // namespace
}  // namespace orrery::server
