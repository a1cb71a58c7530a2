// JSON, merge and strategic merge patches against controllers/17-patch (applying them).
#include "engine/api/patch.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;

std::string compare_result(const Json& expect, const Result<Json>& result) {
  const bool fails = expect.find("error") || expect.find("decodeError");
  if (fails) return result.is_ok() ? "expected the error " + expect.dump() + ", got " + result->dump() : "";
  if (!result.is_ok()) return "unexpected error: " + result.status().message();
  return expect_equal("result", expect["result"], *result);
}

std::string json_case(const Json& one) {
  return compare_result(one["expect"], api::apply_json_patch(one["input"]["document"], one["input"]["patch"]));
}

std::string merge_case(const Json& one) {
  return compare_result(one["expect"], api::apply_merge_patch(one["input"]["document"], one["input"]["patch"]));
}

std::string strategic_case(const Json& one) {
  const std::string kind = one["input"]["kind"].as_string().str();
  const auto* desc = api::find_kind(kind == "Deployment" ? "apps/v1" : "v1", kind);
  return compare_result(one["expect"], api::apply_strategic_patch(*desc->type, one["input"]["document"], one["input"]["patch"]));
}

// The cases that apply a patch; those that make one have no document.
std::function<int()> family(const std::string& name, std::string (*check)(const Json&), double required) {
  return [=] {
    std::vector<Json> cases;
    for (Json& one : read_vectors("controllers/17-patch/" + name + ".jsonl.gz"))
      if (one["input"].find("document")) cases.push_back(std::move(one));
    return run_family(name, cases, check, required);
  };
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using namespace orrery::test;
  return run_program(argc, argv, {{"json", family("json", json_case, 0.95)},
                                  {"merge", family("merge", merge_case, 0.95)},
                                  {"strategic", family("strategic", strategic_case, 0.91)}});
}
