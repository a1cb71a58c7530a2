#include "engine/control/replicaset/replicaset_controller.h"
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
  return test::run_program(argc, argv, families);
}
