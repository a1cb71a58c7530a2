#include <gtest/gtest.h>

#include "engine/control/cronjob/cronjob_controller.h"
#include "tests/unit/engine/control/rollout_world.h"

namespace orrery::control {
namespace {

using test::World;

/// Worlds begin 20 seconds past a minute.
api::Object tick(const char* schedule, const char* policy = "Allow") {
  batchv1::CronJob cron;
  cron.metadata.mut().namespace_ = "default";
  cron.metadata.mut().name = "web";
  auto& spec = cron.spec.mut();
  spec.schedule = schedule;
  spec.concurrency_policy = policy;
  auto& pod = spec.job_template.spec.mut().template_.mut().spec.mut();
  pod.restart_policy = "Never";
  corev1::Container container;
  container.name = "main";
  container.image = "app:v1";
  pod.containers.push_back(container);
  return api::Object::of(std::move(cron));
}

std::vector<std::string> jobs(World& world) {
  ApiRequest list;
  list.verb = ApiVerb::kList;
  list.kind = &kind_of<batchv1::Job>();
  list.ns = "default";
  std::vector<std::string> names;
  for (const api::Object& job : world.call(std::move(list)).items)
    names.push_back(job.meta().name.str());
  return names;
}

TEST(CronJob, AJobStartsAtEachMinuteItIsDueAndIsNamedAfterIt) {
  World world;
  world.call(create_request(tick("*/2 * * * *")));
  EXPECT_TRUE(jobs(world).empty());
  world.run_for(200);
  const int64_t first = test::kStart.unix_seconds() / 60 + 1;  // an even minute
  EXPECT_EQ(jobs(world),
            (std::vector<std::string>{str_cat("web-", first), str_cat("web-", first + 2)}));
  const auto cron = world.get<batchv1::CronJob>();
  EXPECT_EQ(cron.status->active.size(), 2u);
  EXPECT_EQ(cron.status->last_schedule_time->time().unix_seconds(), (first + 2) * 60);
}

TEST(CronJob, WhatIsForbiddenOrSuspendedDoesNotStart) {
  World world;
  world.call(create_request(tick("* * * * *", "Forbid")));
  world.run_for(250);
  EXPECT_EQ(jobs(world).size(), 1u) << "the first one never ends";
  world.change<batchv1::CronJob>([](auto& spec) {
    spec.concurrency_policy = "Allow";
    spec.suspend = true;
  });
  world.run_for(130);
  EXPECT_EQ(jobs(world).size(), 1u);
}

TEST(CronJob, ReplaceLeavesOnlyTheNewestJob) {
  World world;
  world.call(create_request(tick("* * * * *", "Replace")));
  world.run_for(250);
  EXPECT_EQ(jobs(world).size(), 1u);
  EXPECT_EQ(world.get<batchv1::CronJob>().status->active.size(), 1u);
}

TEST(CronJob, AChangedScheduleCountsAtOnce) {
  World world;
  world.call(create_request(tick("0 0 1 1 *")));
  world.change<batchv1::CronJob>([](auto& spec) { spec.schedule = "* * * * *"; });
  world.run_for(60);
  EXPECT_EQ(jobs(world).size(), 1u);
}

}  // namespace
}  // namespace orrery::control
