#include "engine/api/codec_json.h"
#include "engine/control/deployment/deployment_controller.h"
#include "engine/control/deployment/fenceposts.h"
#include "engine/control/deployment/revisions.h"
#include "engine/control/replicaset/replicaset_controller.h"
#include "engine/control/statefulset/set_revisions.h"
#include "engine/control/statefulset/statefulset_controller.h"
#include "tests/support/controller_harness.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;
using test::ControllerUnderTest;

namespace {

std::string check_replicaset(const Json& recorded) {
  return test::play_recorded(recorded, [&](const Env& env) {
    control::ReplicaSetOptions options;
    options.burst_replicas = static_cast<int>(recorded["input"]["burstReplicas"].as_int());
    options.replication_controllers =
        recorded["input"]["kind"].as_string() == "ReplicationController";
    auto controller = std::make_unique<control::ReplicaSetController>(env, options);
    auto* raw = controller.get();
    return ControllerUnderTest{std::move(controller), [raw] { raw->caches_caught_up(); }};
  });
}

std::string check_deployment(const Json& recorded) {
  return test::play_recorded(recorded, [](const Env& env) {
    auto controller =
        std::make_unique<control::DeploymentController>(env, control::DeploymentOptions());
    return ControllerUnderTest{std::move(controller), [] {}};
  });
}

std::string check_statefulset(const Json& recorded) {
  return test::play_recorded(recorded, [](const Env& env) {
    auto controller =
        std::make_unique<control::StatefulSetController>(env, control::StatefulSetOptions());
    return ControllerUnderTest{std::move(controller), [] {}};
  });
}

std::string check_revision_hash(const Json& recorded) {
  const Json& input = recorded["input"];
  const auto set = api::struct_from_json<appsv1::StatefulSet>(input["set"]);
  if (!set) return set.status().message();
  Opt<int32_t> collisions;
  if (const Json* count = input.find("collisionCount"))
    collisions = static_cast<int32_t>(count->as_int());
  const api::Object made = control::new_set_revision(api::Object::of(*set),
                                                     input["revision"].as_int(), collisions);
  const auto& revision = made.get<appsv1::ControllerRevision>();
  Json actual = Json::object();
  actual.set("dataText", revision.data.text);
  actual.set("hash", made.meta().labels.get("controller.kubernetes.io/hash"));
  Json& labels = actual.set("labels", Json::object());
  for (const auto& label : made.meta().labels) labels.set(label.key, label.value);
  actual.set("name", made.meta().name);
  actual.set("revision", revision.revision);
  return test::expect_equal("revision", recorded["expect"], actual);
}

api::IntOrString int_or_string(const Json& json) {
  return json.is_string() ? api::IntOrString(json.as_string().view())
                          : api::IntOrString(static_cast<int32_t>(json.as_int()));
}

std::string check_fenceposts(const Json& recorded) {
  const Json& input = recorded["input"];
  appsv1::RollingUpdateDeployment strategy;
  if (!input["maxSurge"].is_null()) strategy.max_surge = int_or_string(input["maxSurge"]);
  if (!input["maxUnavailable"].is_null())
    strategy.max_unavailable = int_or_string(input["maxUnavailable"]);
  const auto posts =
      control::resolve_fenceposts(strategy, static_cast<int32_t>(input["replicas"].as_int()));
  const Json& expected = recorded["expect"];
  if (!posts || expected.find("error"))
    return posts.is_ok() == (expected.find("error") == nullptr) ? "" : expected.dump();
  Json actual = Json::object();
  actual.set("maxSurge", posts->max_surge);
  actual.set("maxUnavailable", posts->max_unavailable);
  return test::expect_equal("fenceposts", expected, actual);
}

std::string check_template_equal(const Json& recorded) {
  const auto a = api::struct_from_json<corev1::PodTemplateSpec>(recorded["input"]["a"]);
  const auto b = api::struct_from_json<corev1::PodTemplateSpec>(recorded["input"]["b"]);
  if (!a) return a.status().message();
  if (!b) return b.status().message();
  return test::expect_equal("equal", recorded["expect"]["equal"],
                            Json(control::same_template(*a, *b)));
}

std::function<int()> family(const std::string& name, const std::string& file,
                            std::string (*check)(const Json&), double required = 1.0) {
  return [=] {
    return test::run_family(name, test::read_vectors("controllers/" + file), check, required);
  };
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::function<int()>> families;
  for (const char* name : {"claims", "create-errors", "scale-down", "sequence"})
    families[std::string("replicaset-") + name] =
        family(std::string("replicaset-") + name,
               std::string("04-replicaset/") + name + ".jsonl.gz", check_replicaset);
  families["deployment-fenceposts"] =
      family("deployment-fenceposts", "05-deployment/fenceposts.jsonl.gz", check_fenceposts);
  families["deployment-template-equal"] = family(
      "deployment-template-equal", "05-deployment/template-equal.jsonl.gz", check_template_equal);
  for (const char* name : {"single", "rollout"})
    families[std::string("deployment-") + name] =
        family(std::string("deployment-") + name,
               std::string("05-deployment/") + name + ".jsonl.gz", check_deployment);
  families["statefulset-revision-hash"] = family(
      "statefulset-revision-hash", "06-statefulset/revision-hash.jsonl.gz", check_revision_hash);
  for (const char* name : {"sequence", "single"})
    families[std::string("statefulset-") + name] =
        family(std::string("statefulset-") + name,
               std::string("06-statefulset/") + name + ".jsonl.gz", check_statefulset);
  return test::run_program(argc, argv, families);
}
