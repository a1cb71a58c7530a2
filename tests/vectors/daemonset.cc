#include "engine/api/codec_json.h"
#include "engine/api/template_hash.h"
#include "engine/control/common/controller_revisions.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;

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

std::function<int()> family(const std::string& name, const std::string& file,
                            std::string (*check)(const Json&)) {
  return [=] {
    return test::run_family(name, test::read_vectors("controllers/07-daemonset/" + file), check);
  };
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::function<int()>> families;
  families["daemonset-revision-hash"] =
      family("daemonset-revision-hash", "revision-hash.jsonl.gz", check_revision);
  return test::run_program(argc, argv, families);
}
