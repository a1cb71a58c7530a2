#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/base/check.h"
#include "engine/server/eviction.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;

namespace {

template <typename T>
T read(const Json& json) {
  auto value = api::struct_from_json<T>(json);
  CHECK(value.is_ok()) << value.status().message();
  return std::move(*value);
}

Json status_of(const ApiResponse& response) {
  Json out = Json::object();
  out.set("status", response.status ? "Success" : "Failure");
  if (response.status) return out;
  out.set("code", int64_t{code_http(response.status.code())});
  out.set("message", response.status.message());
  if (!response.unclassified) out.set("reason", code_reason(response.status.code()));
  Json details = Json::object();
  if (response.details) {
    for (const auto& [member, value] : {std::pair("group", response.details->group), {"kind", response.details->kind},
                                        {"name", response.details->name}})
      if (!value.empty()) details.set(member, value);
  }
  for (const auto& cause : response.causes) {
    if (!details.find("causes")) details.set("causes", Json::array());
    Json& one = details.find("causes")->push_back(Json::object());
    one.set("reason", cause.reason);
    one.set("message", cause.message);
  }
  if (response.retry_after_seconds > 0) details.set("retryAfterSeconds", int64_t{response.retry_after_seconds});
  if (details.members().size() > 0) out.set("details", std::move(details));
  return out;
}

ApiResponse failure(Code code, std::string message, bool names_pod) {
  ApiResponse response;
  response.status = Status(code, std::move(message));
  if (names_pod) {
    response.details.mut().name = "p1";
    response.details.mut().kind = "pods";
  }
  return response;
}

Json options_json(const ApiDeleteOptions& options, bool dry_run) {
  Json out = Json::object(), conditions = Json::object();
  if (dry_run) out.set("dryRun", Json::array()).push_back("All");
  if (options.grace_seconds) out.set("gracePeriodSeconds", *options.grace_seconds);
  if (options.uid) conditions.set("uid", *options.uid);
  if (options.resource_version) conditions.set("resourceVersion", *options.resource_version);
  if (conditions.members().size() > 0) out.set("preconditions", std::move(conditions));
  return out;
}

/// Marks and deletes the pod, which the API may answer with a conflict.
ApiResponse carry_out(const server::EvictionVerdict& verdict, const Json& input, api::Object pod, bool dry_run, Time now,
                      Json& out) {
  if (!dry_run) {
    ApiResponse refused = server::check_eviction(verdict, pod);
    if (!refused.status) return refused;
    server::mark_as_evicted(pod, now);
    const Json conditions = api::to_json(pod)["status"]["conditions"];
    out.set("podConditions", conditions);
  }
  out.set("podDeleted", true);
  out.set("deleteOptions", options_json(verdict.options, dry_run));
  if (!input["deleteConflicts"].is_bool()) return {};
  if (!verdict.lenient.empty()) return server::busy_budget(verdict.lenient);
  return failure(Code::kConflict, "Operation cannot be fulfilled on pods \"p1\": <nil>", true);
}

ApiResponse evict(const Json& input, Json& out) {
  const Json& body = input["eviction"];
  if (input["urlName"].is_string())
    return failure(Code::kBadRequest, "name in URL does not match name in Eviction object", false);
  if (!input.find("pod")) return failure(Code::kNotFound, "pods \"p1\" not found", true);
  policyv1::Eviction eviction;
  if (const Json* options = body.find("DeleteOptions")) eviction.delete_options.mut() = read<metav1::DeleteOptions>(*options);
  const bool dry_run = eviction.delete_options && !eviction.delete_options->dry_run.empty();
  const api::Object pod = api::Object::of(read<corev1::Pod>(input["pod"]));
  std::vector<api::Object> budgets;
  for (const Json& json : input["pdbs"].items()) {
    auto budget = read<policyv1::PodDisruptionBudget>(json);
    const auto selector = api::Selector::of(budget.spec->selector.get());
    if (selector && selector->matches(pod.meta().labels)) budgets.push_back(api::Object::of(std::move(budget)));
  }
  const Time now = api::parse_time("2025-03-03T10:00:00Z")->time();
  const auto verdict = server::judge_eviction(pod, budgets, eviction, dry_run, now);
  if (!verdict.refusal.status) return verdict.refusal;
  if (verdict.charged) {
    out.set("pdb", verdict.charged.meta().name);
    out.set("pdbStatus", api::to_json(policyv1::PodDisruptionBudgetStatus::descriptor(),
                                      verdict.charged.get<policyv1::PodDisruptionBudget>().status.get()));
  }
  return carry_out(verdict, input, pod, dry_run, now, out);
}

std::string check(const Json& recorded) {
  Json actual = Json::object();
  actual.set("podDeleted", false);
  actual.set("status", status_of(evict(recorded["input"], actual)));
  Json expected = recorded["expect"];
  // The codec leaves empty texts out where the recording has them, and times that are not given in.
  if (const Json* conditions = expected.find("podConditions")) {
    corev1::PodStatus status = read<corev1::PodStatus>([&] {
      Json holder = Json::object();
      holder.set("conditions", *conditions);
      return holder;
    }());
    expected.set("podConditions", api::to_json(corev1::PodStatus::descriptor(), &status)["conditions"]);
  }
  return test::expect_equal("outcome", expected, actual);
}

}  // namespace

int main(int argc, char** argv) {
  return test::run_program(argc, argv, {{"eviction", [] {
    return test::run_family("eviction", test::read_vectors("controllers/11-gc-pdb-eviction/eviction.jsonl.gz"), check);
  }}});
}
