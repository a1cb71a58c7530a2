#include "engine/api/codec_json.h"
#include "engine/control/job/index_set.h"
#include "engine/control/job/job_controller.h"
#include "engine/control/job/pod_policies.h"
#include "engine/control/ttl_after_finished/ttl_controller.h"
#include "tests/support/controller_harness.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;
using test::ControllerUnderTest;

namespace {

std::string check_indexes(const Json& recorded) {
  const Json& input = recorded["input"];
  const auto set =
      control::IndexSet::parse(input["indexes"].as_string().view(), input["completions"].as_int());
  std::vector<int64_t> added;
  for (const Json& index : input["add"].items()) added.push_back(index.as_int());
  const auto merged = set.with(added);
  Json actual = Json::object();
  actual.set("string", set.text());
  actual.set("total", set.total());
  actual.set("has3", set.has(3));
  actual.set("merged", merged.text());
  actual.set("mergedTotal", merged.total());
  return test::expect_equal("indexes", recorded["expect"], actual);
}

std::string check_failure_policy(const Json& recorded) {
  const Json& input = recorded["input"];
  const auto policy = api::struct_from_json<batchv1::PodFailurePolicy>(input["policy"]);
  const auto pod = api::struct_from_json<corev1::Pod>(input["pod"]);
  if (!policy) return policy.status().message();
  if (!pod) return pod.status().message();
  const auto verdict = control::judge_failed_pod(&*policy, *pod);
  Json actual = Json::object();
  actual.set("countFailed", verdict.counts);
  if (!verdict.action.empty()) actual.set("action", verdict.action);
  if (!verdict.message.empty()) actual.set("message", verdict.message);
  return test::expect_equal("verdict", recorded["expect"], actual);
}

std::string check_success_policy(const Json& recorded) {
  const Json& input = recorded["input"];
  const int64_t completions = input["completions"].as_int();
  const auto policy = api::struct_from_json<batchv1::SuccessPolicy>(input["policy"]);
  if (input.find("policy") && !policy) return policy.status().message();
  const auto message = control::success_policy_met(
      input.find("policy") ? &*policy : nullptr, completions,
      control::IndexSet::parse(input["succeededIndexes"].as_string().view(), completions));
  Json actual = Json::object();
  actual.set("met", message.has_value());
  if (message) actual.set("message", *message);
  return test::expect_equal("success", recorded["expect"], actual);
}

std::string check_backoff(const Json& recorded) {
  const Json& input = recorded["input"];
  const Time now = Time::from_unix_seconds(1'000'000);
  const Duration left = control::pod_backoff_left(
      input["failures"].as_int(),
      now - Duration::seconds(input["secondsSinceLastFailure"].as_int()), now);
  Json actual = Json::object();
  actual.set("remainingSeconds", left.ns / 1'000'000'000);
  return test::expect_equal("backoff", recorded["expect"], actual);
}

ControllerUnderTest job_controller(const Env& env) {
  auto controller = std::make_unique<control::JobController>(env, control::JobOptions());
  auto* raw = controller.get();
  return {std::move(controller), [raw] { raw->caches_caught_up(); }};
}

std::string check_sync(const Json& recorded) {
  return test::play_recorded(recorded, job_controller);
}

std::string check_orphan(const Json& recorded) {
  const Json& input = recorded["input"];
  const Json* pod = input.find("pod");
  return test::play_recorded(
      recorded, job_controller,
      pod ? control::JobController::orphan_key(pod->as_string().view())
          : control::JobController::orphans_key(input["namespace"].as_string().view(),
                                                input["selector"].as_string().view()));
}

std::string check_ttl(const Json& recorded) {
  return test::play_recorded(recorded, [](const Env& env) {
    return ControllerUnderTest{std::make_unique<control::TtlController>(env, control::TtlOptions()),
                               [] {}};
  });
}

int run(const std::string& family, const std::string& file, const std::string& prefix,
        std::string (*check)(const Json&)) {
  std::vector<Json> cases;
  for (Json& one : test::read_vectors("controllers/08-job/" + file + ".jsonl.gz"))
    if (one["name"].as_string().view().starts_with(prefix)) cases.push_back(std::move(one));
  return test::run_family(family, cases, check);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::function<int()>> families;
  const auto add = [&](const std::string& family, const std::string& file,
                       const std::string& prefix, std::string (*check)(const Json&)) {
    families[family] = [=] { return run(family, file, prefix, check); };
  };
  add("indexes", "functions", "indexes", check_indexes);
  add("pod-failure-policy-match", "functions", "pod-failure-policy-match", check_failure_policy);
  add("success-policy-match", "functions", "success-policy-match", check_success_policy);
  add("backoff-delay", "functions", "backoff-delay", check_backoff);
  add("orphan", "orphan", "", check_orphan);
  add("pod-template", "pod-template", "", check_sync);
  add("sequence", "sequence", "", check_sync);
  add("single", "single", "", check_sync);
  add("ttl", "ttl", "", check_ttl);
  return test::run_program(argc, argv, families);
}
