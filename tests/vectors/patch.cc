// JSON, merge and strategic merge patches against controllers/17-patch: applying and making them.
#include <algorithm>

#include "engine/api/patch.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;

std::string compare_result(const Json& expect, const Result<Json>& result) {
  const Json* error = expect.find("error") ? expect.find("error") : expect.find("decodeError");
  if (error && result.is_ok()) return "expected the error " + error->dump() + ", got " + result->dump();
  if (error) return expect_equal("error", error->as_string().str(), result.status().message());
  if (!result.is_ok()) return "unexpected error: " + result.status().message();
  return expect_equal("result", expect["result"], *result);
}

std::string json_case(const Json& one) {
  return compare_result(one["expect"], api::apply_json_patch(one["input"]["document"], one["input"]["patch"]));
}

std::string merge_case(const Json& one) {
  const Json& input = one["input"];
  if (!input.find("document")) {
    const std::string problem = expect_equal("twoWay", one["expect"]["twoWay"], api::make_merge_patch(input["original"], input["modified"]));
    if (!problem.empty()) return problem;
    const auto three = api::make_three_way_merge_patch(input["original"], input["modified"], input["current"]);
    return three.is_ok() ? expect_equal("threeWay", one["expect"]["threeWay"], *three) : three.status().message();
  }
  return compare_result(one["expect"], api::apply_merge_patch(one["input"]["document"], one["input"]["patch"]));
}

// Lists that a $setElementOrder stands beside may come in any order.
Json with_free_order(Json patch) {
  for (Json& item : patch.items()) item = with_free_order(std::move(item));
  for (auto& member : patch.members()) member.value = with_free_order(std::move(member.value));
  constexpr std::string_view kOrder = "$setElementOrder/";
  const Json::Members members = patch.members();
  for (const auto& member : members) {
    Json* list = member.key.view().starts_with(kOrder) ? patch.find(member.key.view().substr(kOrder.size())) : nullptr;
    if (!list) continue;
    std::sort(list->items().begin(), list->items().end(), [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  }
  return patch;
}

std::string made_case(const api::TypeDesc& type, const Json& input, const Json& expect) {
  const auto two = api::make_strategic_patch(type, input["original"], input["modified"]);
  if (!two.is_ok()) return "twoWay: " + two.status().message();
  std::string problem = expect_equal("twoWay", with_free_order(expect["twoWay"]), with_free_order(*two));
  if (!problem.empty()) return problem;
  const auto applied = api::apply_strategic_patch(type, input["current"], *two);
  if (!applied.is_ok()) return "twoWayAppliedToCurrent: " + applied.status().message();
  problem = expect_equal("twoWayAppliedToCurrent", expect["twoWayAppliedToCurrent"], *applied);
  if (!problem.empty()) return problem;
  const auto three = api::make_three_way_strategic_patch(type, input["original"], input["modified"], input["current"], input["overwrite"].as_bool());
  if (const Json* error = expect.find("threeWayError"))
    return !three.is_ok() && three.status().message().starts_with(error->as_string().view()) ? "" : "expected threeWayError " + error->dump();
  if (!three.is_ok()) return "threeWay: " + three.status().message();
  problem = expect_equal("threeWay", with_free_order(expect["threeWay"]), with_free_order(*three));
  if (!problem.empty()) return problem;
  const auto result = api::apply_strategic_patch(type, input["current"], *three);
  return result.is_ok() ? expect_equal("threeWayApplied", expect["threeWayApplied"], *result) : result.status().message();
}

std::string strategic_case(const Json& one) {
  const std::string kind = one["input"]["kind"].as_string().str();
  const auto* desc = api::find_kind(kind == "Deployment" ? "apps/v1" : "v1", kind);
  if (!one["input"].find("document")) return made_case(*desc->type, one["input"], one["expect"]);
  return compare_result(one["expect"], api::apply_strategic_patch(*desc->type, one["input"]["document"], one["input"]["patch"]));
}

std::function<int()> family(const std::string& name, std::string (*check)(const Json&)) {
  return [=] { return run_family(name, read_vectors("controllers/17-patch/" + name + ".jsonl.gz"), check, 1.0); };
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using namespace orrery::test;
  return run_program(argc, argv, {{"json", family("json", json_case)},
                                  {"merge", family("merge", merge_case)},
                                  {"strategic", family("strategic", strategic_case)}});
}
