#include "engine/api/codec_json.h"
#include "engine/control/cronjob/cronjob_controller.h"
#include "tests/support/controller_harness.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;
using test::ControllerUnderTest;

namespace {

Time time_of(const Json& text) { return api::parse_time(text.as_string())->time(); }

Result<api::CronSchedule> schedule_of(const Json& input) {
  const Str schedule = input["schedule"].as_string();
  if (!input.find("timeZone")) return api::CronSchedule::parse(schedule);
  return api::CronSchedule::parse(str_cat("TZ=", input["timeZone"].as_string(), ' ', schedule));
}

std::string check_schedule(const Json& recorded) {
  const Json& input = recorded["input"];
  const auto schedule = schedule_of(input);
  Json actual = Json::object();
  if (!schedule) {
    actual.set("error", schedule.status().message());
    return test::expect_equal("schedule", recorded["expect"], actual);
  }
  Json& times = actual.set("next", Json::array());
  std::optional<Time> at = time_of(input["from"]);
  for (int64_t i = 0; i < input["count"].as_int() && at; ++i) {
    at = schedule->next(*at);
    times.push_back(at ? Json(api::format_time(*at)) : Json());
  }
  return test::expect_equal("schedule", recorded["expect"], actual);
}

std::string check_missed(const Json& recorded) {
  const Json& input = recorded["input"];
  const auto schedule = schedule_of(input);
  if (!schedule) return schedule.status().message();
  batchv1::CronJob cron_job;
  cron_job.metadata.mut().creation_timestamp = time_of(input["creationTimestamp"]);
  if (input.find("lastScheduleTime"))
    cron_job.status.mut().last_schedule_time = api::Timestamp(time_of(input["lastScheduleTime"]));
  if (input.find("startingDeadlineSeconds"))
    cron_job.spec.mut().starting_deadline_seconds = input["startingDeadlineSeconds"].as_int();
  const Time now = time_of(input["now"]);
  const auto due = [&](bool with_deadline) {
    const auto found = control::due_start(cron_job, now, *schedule, with_deadline);
    constexpr std::string_view kMissed[] = {"none", "few", "many"};
    Json json = Json::object();
    json.set("earliest", api::format_time_nano(found.earliest));
    if (found.start) json.set("mostRecent", api::format_time_nano(*found.start));
    json.set("missed", kMissed[static_cast<size_t>(found.missed)]);
    if (!found.error) json.set("error", found.error.message());
    return json;
  };
  Json actual = Json::object();
  const Duration wait = control::time_to_next_start(cron_job, now, *schedule);
  actual.set("nextScheduleSeconds", static_cast<double>(wait.ns) / 1e9);
  actual.set("withDeadline", due(true));
  actual.set("withoutDeadline", due(false));
  return test::expect_equal("missed", recorded["expect"], actual);
}

std::string check_sync(const Json& recorded) {
  Json copy = recorded;
  for (Json& step : copy.find("expect")->find("steps")->items())
    if (const Json* wait = step.find("requeueAfterSeconds")) {
      const Json seconds = wait->as_double();
      step.set("requeueAfter", Json::array()).push_back(seconds);
    }
  return test::play_recorded(copy, [](const Env& env) {
    return ControllerUnderTest{
        std::make_unique<control::CronJobController>(env, control::CronJobOptions()), [] {}};
  });
}

std::function<int()> family(const std::string& name, const std::string& file,
                            std::string (*check)(const Json&)) {
  return [=] {
    return test::run_family(name, test::read_vectors("controllers/09-cronjob/" + file), check);
  };
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::function<int()>> families;
  families["cronjob-schedule"] = family("cronjob-schedule", "schedule.jsonl.gz", check_schedule);
  families["cronjob-missed"] = family("cronjob-missed", "missed.jsonl.gz", check_missed);
  families["cronjob-sequence"] = family("cronjob-sequence", "sequence.jsonl.gz", check_sync);
  return test::run_program(argc, argv, families);
}
