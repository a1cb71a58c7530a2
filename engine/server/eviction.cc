#include "engine/server/eviction.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/pod_resources.h"
#include "engine/api/pod_util.h"
#include "engine/server/errors.h"

namespace orrery::server {
namespace {

using Budget = policyv1::PodDisruptionBudget;

constexpr size_t kDisruptedPodsMax = 2000;
const char* const kWouldViolate =
    "Cannot evict pod as it would violate the pod's disruption budget.";

bool needs_no_budget(const corev1::Pod& pod) {
  return api::is_terminal(pod) || pod.status->phase == "Pending" || pod.metadata->deletion_timestamp;
}

ApiResponse too_many_requests(std::string cause, int32_t retry_after_seconds) {
  ApiResponse response;
  response.status = Status(Code::kTooManyRequests, kWouldViolate);
  response.causes.push_back({"DisruptionBudget", Str(cause), ""});
  response.retry_after_seconds = retry_after_seconds;
  return response;
}

ApiResponse forbidden(const Str& budget, std::string_view why) {
  ApiResponse response;
  response.status =
      Status(Code::kForbidden, str_cat("poddisruptionbudget.policy \"", budget, "\" is forbidden: ", why));
  auto& details = response.details.mut();
  details.name = budget;
  details.group = "policy";
  details.kind = "poddisruptionbudget";
  return response;
}

ApiResponse exhausted(const Budget& budget) {
  const auto& status = *budget.status;
  const Str& name = budget.metadata->name;
  for (const auto& condition : status.conditions) {
    if (condition.type != "DisruptionAllowed" || condition.status != "False") continue;
    if (condition.reason == "SyncFailed")
      return too_many_requests(str_cat("The disruption budget ", name,
                                       " does not allow evicting pods currently because it failed sync: ",
                                       condition.message),
                               0);
  }
  return too_many_requests(str_cat("The disruption budget ", name, " needs ", int{status.desired_healthy},
                                   " healthy pods and has ", int{status.current_healthy}, " currently"),
                           0);
}

/// The budget has nothing left: its condition says so at once.
void close(policyv1::PodDisruptionBudgetStatus& status, Time now) {
  metav1::Condition* condition = nullptr;
  for (auto& one : status.conditions.mut())
    if (one.type == "DisruptionAllowed") condition = &one;
  if (!condition) condition = &status.conditions.push_back({});
  if (condition->status != "False") condition->last_transition_time = api::Timestamp::whole_seconds(now);
  condition->type = "DisruptionAllowed";
  condition->status = "False";
  condition->reason = "InsufficientPods";
  condition->message = Str();
  condition->observed_generation = status.observed_generation;
}

/// Takes the pod from the budget, if that can bear it.
ApiResponse charge(const Str& pod, bool dry_run, Time now, api::Object& object) {
  const auto& budget = object.get<Budget>();
  const auto& status = *budget.status;
  const Str& name = budget.metadata->name;
  if (status.observed_generation < budget.metadata->generation) return busy_budget(name);
  if (status.disruptions_allowed < 0) return forbidden(name, "pdb disruptions allowed is negative");
  if (status.disrupted_pods.size() > kDisruptedPodsMax)
    return forbidden(name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  if (status.disruptions_allowed == 0) return exhausted(budget);
  if (dry_run) return {};
  take_from_budget(object, pod, now);
  return {};
}

/// A pod that is not ready counts for nothing, so that its budget may let it go for nothing.
bool goes_unhealthy(const corev1::Pod& pod, const Budget& budget) {
  if (api::is_pod_ready(pod)) return false;
  const auto& policy = budget.spec->unhealthy_pod_eviction_policy;
  if (policy && *policy == "AlwaysAllow") return true;
  const auto& status = *budget.status;
  return status.current_healthy >= status.desired_healthy && status.desired_healthy > 0;
}

}  // namespace

ApiDeleteOptions eviction_options(const policyv1::Eviction& eviction) {
  ApiDeleteOptions options;
  if (!eviction.delete_options) return options;
  const auto& given = *eviction.delete_options;
  options.grace_seconds = given.grace_period_seconds;
  options.propagation_policy = given.propagation_policy.value_or(Str());
  if (given.preconditions) {
    options.uid = given.preconditions->uid;
    options.resource_version = given.preconditions->resource_version;
  }
  return options;
}

ApiDeleteOptions mark_options(ApiDeleteOptions options) {
  if (options.uid == Str()) options.uid.reset();
  if (options.resource_version == Str()) options.resource_version.reset();
  return options;
}

void take_from_budget(api::Object& budget, const Str& pod, Time now) {
  auto& status = budget.mut<Budget>().status.mut();
  if (--status.disruptions_allowed == 0) close(status, now);
  status.disrupted_pods.set(pod, api::Timestamp::whole_seconds(now));
}

ApiResponse busy_budget(const Str& budget) {
  return too_many_requests(str_cat("The disruption budget ", budget, " is still being processed by the server."), 10);
}

EvictionVerdict judge_eviction(const api::Object& object, const std::vector<api::Object>& budgets,
                               const policyv1::Eviction& eviction, bool dry_run, Time now) {
  EvictionVerdict verdict;
  verdict.options = eviction_options(eviction);
  const auto& pod = object.get<corev1::Pod>();
  // What is let go because of the state it is in must still be in that state.
  const auto as_it_is = [&] {
    if (!verdict.options.resource_version)
      verdict.options.resource_version = pod.metadata->resource_version;
  };
  if (needs_no_budget(pod)) {
    if (!api::is_terminal(pod) && !pod.metadata->deletion_timestamp) as_it_is();
    return verdict;
  }
  if (budgets.empty()) return verdict;
  if (budgets.size() > 1) {
    verdict.refusal.status = internal_error(
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    verdict.refusal.unclassified = true;
    return verdict;
  }
  if (goes_unhealthy(pod, budgets[0].get<Budget>())) {
    if (!verdict.options.resource_version) verdict.lenient = budgets[0].meta().name;
    verdict.options.resource_version = pod.metadata->resource_version;
    return verdict;
  }
  api::Object budget = budgets[0];
  verdict.refusal = charge(pod.metadata->name, dry_run, now, budget);
  if (verdict.refusal.status.is_ok() && !dry_run) verdict.charged = std::move(budget);
  return verdict;
}

bool mark_as_evicted(api::Object& pod, Time now) {
  corev1::PodCondition condition;
  condition.type = "DisruptionTarget";
  condition.status = "True";
  condition.reason = "EvictionByEvictionAPI";
  condition.message = "Eviction API: evicting";
  condition.last_transition_time = api::Timestamp::whole_seconds(now);
  return api::set_condition(pod.mut<corev1::Pod>().status.mut(), std::move(condition));
}

ApiResponse check_eviction(const EvictionVerdict& verdict, const api::Object& pod) {
  const auto& record = pod.meta();
  const std::string why = unmet_precondition(mark_options(verdict.options), record);
  ApiResponse response;
  if (why.empty()) return response;
  if (!verdict.lenient.empty()) return busy_budget(verdict.lenient);
  response.status =
      Status(Code::kConflict, str_cat("Operation cannot be fulfilled on Pod \"", record.name, "\": ", why));
  auto& details = response.details.mut();
  details.name = record.name;
  details.kind = "Pod";
  return response;
}

}  // namespace orrery::server
