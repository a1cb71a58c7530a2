#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/base/rng.h"
#include "engine/control/common/claim.h"
#include "engine/control/common/pdq_sort.h"
#include "engine/control/common/slow_start.h"

namespace orrery::control {
namespace {

TEST(PdqSort, SortsAnyInput) {
  RngStream rng(1, "values");
  for (int round = 0; round < 400; ++round) {
    std::vector<uint64_t> values(rng.below(300));
    const uint64_t range = 1 + rng.below(round % 3 == 0 ? 4 : 1000);
    for (auto& value : values) value = rng.below(range);
    if (round % 5 == 1) std::sort(values.begin(), values.end());
    if (round % 5 == 2) std::sort(values.rbegin(), values.rend());
    std::vector<uint64_t> expected = values;
    std::sort(expected.begin(), expected.end());
    pdq_sort(std::span<uint64_t>(values), std::less<>());
    EXPECT_EQ(values, expected) << "round " << round;
  }
}

TEST(PdqSort, UpToTwelveElementsKeepTheOrderOfEqualOnes) {
  std::vector<std::pair<int, int>> values;
  for (int i = 0; i < 12; ++i) values.emplace_back(i % 2, i);
  pdq_sort(std::span(values), [](const auto& a, const auto& b) { return a.first < b.first; });
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
}

TEST(PdqSort, AContradictoryOrderLosesNoElement) {
  RngStream rng(2, "answers");
  std::vector<int> values(500);
  for (int i = 0; i < 500; ++i) values[static_cast<size_t>(i)] = i;
  pdq_sort(std::span<int>(values), [&](int, int) { return rng.below(2) == 0; });
  std::sort(values.begin(), values.end());
  for (int i = 0; i < 500; ++i) EXPECT_EQ(values[static_cast<size_t>(i)], i);
}

/// Runs `body` as a controller would, answering request number i with failure if i >= `first_bad`.
std::vector<size_t> batches_of(int64_t count, int64_t first_bad, SlowStartResult* result) {
  WriteLog log;
  std::vector<size_t> batches;
  int64_t sent = 0;
  for (;;) {
    log.rewind();
    *result = slow_start(
        log, count, [](int64_t) { return ApiRequest(); },
        [](int64_t, const ApiResponse& response) { return response.status; });
    if (!log.pending()) return batches;
    const size_t size = log.outgoing().size();
    batches.push_back(size);
    log.sent();
    for (size_t i = 0; i < size; ++i) {
      ApiResponse response;
      if (sent++ >= first_bad) response.status = internal_error(str_cat("request ", sent));
      log.answer(i, response);
    }
  }
}

TEST(SlowStart, BatchesDoubleWhileAllIsWell) {
  SlowStartResult result;
  EXPECT_EQ(batches_of(20, 100, &result), (std::vector<size_t>{1, 2, 4, 8, 5}));
  EXPECT_EQ(result.successes, 20);
  EXPECT_TRUE(result.error.is_ok());
}

TEST(SlowStart, StopsAfterTheFirstBatchWithAFailure) {
  SlowStartResult result;
  EXPECT_EQ(batches_of(20, 5, &result), (std::vector<size_t>{1, 2, 4}));
  EXPECT_EQ(result.successes, 5);
  EXPECT_EQ(result.error.message(), "request 6");
}

TEST(JoinFailures, NamesEachMessageOnce) {
  EXPECT_TRUE(join_failures({}).is_ok());
  const std::vector<Status> one = {not_found("a"), not_found("a")};
  EXPECT_EQ(join_failures(one).message(), "a");
  const std::vector<Status> two = {not_found("a"), invalid("b")};
  EXPECT_EQ(join_failures(two).message(), "[a, b]");
}

}  // namespace
}  // namespace orrery::control
