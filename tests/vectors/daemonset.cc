#include "engine/api/codec_json.h"
#include "engine/api/template_hash.h"
#include "engine/control/common/controller_revisions.h"
#include "engine/control/daemonset/daemonset_controller.h"
#include "tests/support/controller_harness.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;
using test::ControllerUnderTest;

namespace {

std::string check_revision(const Json& recorded) {
  const auto ds = api::struct_from_json<appsv1::DaemonSet>(recorded["input"]["set"]);
  if (!ds) return ds.status().message();
  const auto& pod_template = *ds->spec->template_;
  const Str hash = api::template_hash(pod_template, ds->status->collision_count);
  Json actual = Json::object();
  actual.set("dataText", control::template_patch(pod_template));
  actual.set("hash", hash);
  actual.set("name", str_cat(ds->metadata->name, '-', hash));
  return test::expect_equal("revision", recorded["expect"], actual);
}

std::string check_counts(const Json& recorded) {
  const Json& input = recorded["input"];
  appsv1::DaemonSetSpec spec;
  const auto strategy =
      api::struct_from_json<appsv1::DaemonSetUpdateStrategy>(input["updateStrategy"]);
  if (!strategy) return strategy.status().message();
  spec.update_strategy = *strategy;
  const int64_t nodes = input["numberToSchedule"].as_int();
  Json actual = Json::object();
  actual.set("allowsSurge", control::allows_surge(spec));
  actual.set("surgeCount", *control::surge_count(spec, nodes));
  actual.set("unavailableCount", *control::unavailable_count(spec, nodes));
  return test::expect_equal("counts", recorded["expect"], actual);
}

std::string check_should_run(const Json& recorded) {
  const auto node = api::struct_from_json<corev1::Node>(recorded["input"]["node"]);
  const auto pod_template =
      api::struct_from_json<corev1::PodTemplateSpec>(recorded["input"]["template"]);
  if (!node) return node.status().message();
  if (!pod_template) return pod_template.status().message();
  const auto fit = control::DaemonPlacement(*pod_template).fit(*node);
  Json actual = Json::object();
  actual.set("shouldRun", fit.should_run);
  actual.set("shouldContinueRunning", fit.may_stay);
  Json& tolerations = actual.set("tolerations", Json::array());
  for (const auto& toleration : control::daemon_tolerations(*pod_template->spec))
    tolerations.push_back(api::to_json(corev1::Toleration::descriptor(), &toleration));
  return test::expect_equal("shouldRun", recorded["expect"], actual);
}

std::string check_sync(const Json& recorded) {
  return test::play_recorded(recorded, [](const Env& env) {
    auto controller =
        std::make_unique<control::DaemonSetController>(env, control::DaemonSetOptions());
    auto* raw = controller.get();
    return ControllerUnderTest{std::move(controller), [raw] { raw->caches_caught_up(); }};
  });
}

std::function<int()> family(const std::string& name, const std::string& file,
                            std::string (*check)(const Json&)) {
  return [=] {
    return test::run_family(name, test::read_vectors("controllers/07-daemonset/" + file), check);
  };
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::function<int()>> families;
  const auto add = [&](const std::string& name, std::string (*check)(const Json&)) {
    families["daemonset-" + name] = family("daemonset-" + name, name + ".jsonl.gz", check);
  };
  add("counts", check_counts);
  add("should-run", check_should_run);
  add("revision-hash", check_revision);
  add("sequence", check_sync);
  add("single", check_sync);
  return test::run_program(argc, argv, families);
}
