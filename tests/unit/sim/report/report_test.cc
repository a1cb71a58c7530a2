#include "sim/report/report.h"

#include <gtest/gtest.h>

#include "engine/api/json_value.h"

namespace orrery::sim {
namespace {

RunResult sample_result() {
  RunResult r;
  r.scenario = "s";
  r.parameters = {{"p", "\"q\""}};
  for (int i = 0; i < 1000; ++i) {
    Sample s;
    s.time = i;
    s.cpu_allocated_pct = i < 500 ? 20 : 40;
    s.cpu_used_pct = 10;
    r.series.push_back(s);
  }
  r.queue_wait = percentiles({4, 1, 3, 2});
  r.rows.push_back({"a,b", "n\"1", "Running", 0, 1.5, 2.5, -1, 100, 200, 0});
  return r;
}

TEST(Report, PercentilesAreNearestRank) {
  const Percentiles p = percentiles({4, 1, 3, 2});
  EXPECT_EQ(p.count, 4);
  EXPECT_EQ(p.mean, 2.5);
  EXPECT_EQ(p.p50, 2);
  EXPECT_EQ(p.p90, 4);
  EXPECT_EQ(p.max, 4);
  EXPECT_EQ(percentiles({}).count, 0);
}

TEST(Report, TheSummaryIsJsonWithLevelsAndThinnedSeries) {
  const auto json = api::Json::parse(summary_json(sample_result()));
  ASSERT_TRUE(json.is_ok());
  EXPECT_EQ((*json)["schemaVersion"].as_int(), 1);
  EXPECT_EQ((*json)["parameters"]["p"].as_string(), "\"q\"");
  EXPECT_EQ((*json)["allocation"]["cpu"]["meanPct"].as_double(), 30);
  EXPECT_EQ((*json)["allocation"]["cpu"]["maxPct"].as_double(), 40);
  EXPECT_EQ((*json)["utilisation"]["cpu"]["endPct"].as_double(), 10);
  EXPECT_EQ((*json)["queueWaitSeconds"]["p50"].as_double(), 2);
  const api::Json& seconds = (*json)["overTime"]["seconds"];
  ASSERT_EQ(seconds.size(), 101u);
  EXPECT_EQ(seconds.items().front().as_double(), 0);
  EXPECT_EQ(seconds.items().back().as_double(), 999);
}

TEST(Report, CostIsLeftOutOnRequest) {
  EXPECT_NE(summary_json(sample_result()).find("wallSeconds"), std::string::npos);
  EXPECT_EQ(summary_json(sample_result(), false).find("cost"), std::string::npos);
}

TEST(Report, CsvFieldsAreQuotedWhereNeededAndMissingTimesAreEmpty) {
  EXPECT_NE(pods_csv(sample_result()).find("\n\"a,b\",\"n\"\"1\",Running,0,1.5,2.5,,100,200,0\n"), std::string::npos);
}

TEST(Report, AnEmptyRunHasASummaryToo) {
  EXPECT_TRUE(api::Json::parse(summary_json(RunResult())).is_ok());
  EXPECT_FALSE(summary_table(RunResult()).empty());
}

}  // namespace
}  // namespace orrery::sim
