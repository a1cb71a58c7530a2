#include "engine/api/cron_schedule.h"

#include <gtest/gtest.h>

#include "engine/api/scalars.h"

namespace orrery::api {
namespace {

std::string next(const char* schedule, const char* after) {
  const auto parsed = CronSchedule::parse(schedule);
  if (!parsed) return parsed.status().message();
  const auto found = parsed->next(parse_time(after)->time());
  return found ? format_time(*found) : "none";
}

TEST(CronSchedule, TheNextActivationIsTheFirstAfterTheGivenTime) {
  EXPECT_EQ(next("*/15 * * * *", "2025-03-03T10:00:00Z"), "2025-03-03T10:15:00Z");
  EXPECT_EQ(next("30 9 * * MON-fri", "2025-03-07T09:30:00Z"), "2025-03-10T09:30:00Z");
  EXPECT_EQ(next("0 0 13 * 5", "2025-03-03T00:00:00Z"), "2025-03-07T00:00:00Z") << "either day";
  EXPECT_EQ(next("0 0 29 2 *", "2025-03-03T00:00:00Z"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(next("0 0 31 2 *", "2025-03-03T00:00:00Z"), "none");
  EXPECT_EQ(next("@every 90s", "2025-03-03T00:00:10Z"), "2025-03-03T00:01:40Z");
}

TEST(CronSchedule, SchedulesFollowTheClocksOfTheirZone) {
  EXPECT_EQ(next("TZ=Europe/Berlin 30 12 * * *", "2025-03-29T12:00:00Z"), "2025-03-30T10:30:00Z");
  EXPECT_EQ(next("TZ=Europe/Berlin 30 2 * * *", "2025-03-29T12:00:00Z"), "2025-03-31T00:30:00Z")
      << "no 02:30 on the day before";
  EXPECT_EQ(next("CRON_TZ=America/New_York @daily", "2060-07-01T12:00:00Z"),
            "2060-07-02T04:00:00Z");
}

TEST(CronSchedule, WhatIsWrongIsSaid) {
  EXPECT_EQ(next("* * * *", ""), "expected exactly 5 fields, found 4: [* * * *]");
  EXPECT_EQ(next("61 * * * *", ""), "end of range (61) above maximum (59): 61");
  EXPECT_EQ(next("TZ=Mars/Olympus @daily", ""),
            "provided bad location Mars/Olympus: unknown time zone Mars/Olympus");
}

TEST(TimeZone, OffsetsAreThoseOfTheDatabase) {
  const auto kathmandu = TimeZone::find("Asia/Kathmandu");
  ASSERT_TRUE(kathmandu.is_ok());
  EXPECT_EQ(kathmandu->offset_at(0), 19800);
  EXPECT_EQ(kathmandu->offset_at(1'700'000'000), 20700);
  EXPECT_EQ(TimeZone::find("US/Pacific")->offset_at(1'700'000'000), -28800) << "a second name";
  EXPECT_TRUE(is_time_zone("UTC"));
  EXPECT_FALSE(is_time_zone("Europe"));
  EXPECT_EQ(TimeZone::find("../etc/passwd").status().message(), "time: invalid location name");
}

}  // namespace
}  // namespace orrery::api
