// Deletes that ask a disruption budget first.
// Source: Kubernetes v1.32 pkg/registry/core/pod/storage/eviction.go.
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/label_selector.h"
#include "engine/api/pod_resources.h"
#include "engine/api/pod_util.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

using policyv1::PodDisruptionBudget;

// The delete that an eviction asks for.
ApiRequest deletion_of(const ApiRequest& request) {
  ApiRequest deletion = request;
  const auto& options = request.object.get<policyv1::Eviction>().delete_options;
  if (!options) return deletion;
  deletion.delete_options.grace_seconds = options->grace_period_seconds;
  deletion.delete_options.propagation_policy = options->propagation_policy.value_or(Str());
  if (options->preconditions) {
    deletion.delete_options.uid = options->preconditions->uid.value_or(Str());
    deletion.delete_options.resource_version = options->preconditions->resource_version.value_or(Str());
  }
  if (!options->dry_run.empty()) deletion.dry_run = true;
  return deletion;
}

// What is not ready is not guarded as long as enough others are.
bool is_unguarded(const corev1::Pod& pod, const PodDisruptionBudget& budget) {
  if (api::is_pod_ready(pod)) return false;
  if (budget.spec->unhealthy_pod_eviction_policy.value_or(Str()) == "AlwaysAllow") return true;
  const auto& status = *budget.status;
  return status.current_healthy >= status.desired_healthy && status.desired_healthy > 0;
}

ApiResponse too_many(std::string why) {
  ApiResponse response;
  response.status = Status(Code::kTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.");
  response.causes.push_back({"DisruptionBudget", Str(why), ""});
  return response;
}

// OK: the budget can be charged.
ApiResponse ask(const PodDisruptionBudget& budget) {
  constexpr int32_t kRetrySeconds = 10;
  const Str& name = budget.metadata->name;
  const auto& status = *budget.status;
  if (status.observed_generation < budget.metadata->generation) {
    ApiResponse response = too_many(str_cat("The disruption budget ", name, " is still being processed by the server."));
    response.retry_after_seconds = kRetrySeconds;
    return response;
  }
  if (status.disruptions_allowed > 0) return {};
  for (const metav1::Condition& condition : status.conditions)
    if (condition.type == "DisruptionAllowed" && condition.status == "False" && condition.reason == "SyncFailed")
      return too_many(str_cat("The disruption budget ", name, " does not allow evicting pods currently because it failed sync: ", condition.message));
  return too_many(str_cat("The disruption budget ", name, " needs ", int{status.desired_healthy}, " healthy pods and has ",
                          int{status.current_healthy}, " currently"));
}

void charge(PodDisruptionBudget& budget, const Str& pod, Time now) {
  auto& status = budget.status.mut();
  const api::Timestamp at = api::Timestamp::whole_seconds(now);
  status.disrupted_pods.set(pod, at);
  if (--status.disruptions_allowed > 0) return;
  metav1::Condition condition;
  condition.type = "DisruptionAllowed";
  condition.status = "False";
  condition.reason = "InsufficientPods";
  condition.observed_generation = status.observed_generation;
  condition.last_transition_time = at;
  for (size_t i = 0; i < status.conditions.size(); ++i) {
    if (status.conditions[i].type != condition.type) continue;
    if (status.conditions[i].status == condition.status) condition.last_transition_time = status.conditions[i].last_transition_time;
    status.conditions.mut(i) = std::move(condition);
    return;
  }
  status.conditions.push_back(std::move(condition));
}

// Tells why the pod goes.
api::Object marked(const api::Object& pod, Time now) {
  api::Object out = pod;
  corev1::PodCondition condition;
  condition.type = "DisruptionTarget";
  condition.status = "True";
  condition.reason = "EvictionByEvictionAPI";
  condition.message = "Eviction API: evicting";
  condition.last_transition_time = api::Timestamp::whole_seconds(now);
  api::set_condition(out.mut<corev1::Pod>().status.mut(), std::move(condition));
  return out;
}

}  // namespace

std::vector<api::Object> Server::budgets_of(const api::Object& pod) const {
  std::vector<api::Object> budgets;
  for (const api::Object& budget : list(*PodDisruptionBudget::descriptor().kind, pod.meta().namespace_)) {
    const auto selector = api::Selector::of(budget.get<PodDisruptionBudget>().spec->selector.get());
    if (selector.is_ok() && selector->matches(pod.meta().labels)) budgets.push_back(budget);
  }
  return budgets;
}

// The budget is charged in the transaction that takes the pod, also if the pod then stays after all.
void Server::charge_budget(const api::Object& budget, const Str& pod, Time now, Plan& plan) const {
  const api::KindDesc& kind = *PodDisruptionBudget::descriptor().kind;
  StoreOp op;
  op.range.key = store_key(kind, budget.meta().namespace_, budget.meta().name);
  op.value.object = budget;
  charge(op.value.object.mut<PodDisruptionBudget>(), pod, now);
  if (options_.serves_clients) {
    managed::FieldWrite write;
    write.manager = "kube-apiserver";
    write.subresource = "status";
    write.now = now;
    managed::update_managed_fields(budget, op.value.object, write);
  }
  op.value.object.mut_meta().resource_version = Str();
  plan.compares.push_back({op.range.key, StoreCompare::Target::kModRevision, StoreCompare::Op::kEqual,
                           caches_[kind.id].find(op.range.key)->revision});
  plan.more.push_back(std::move(op));
}

Server::Plan Server::plan_eviction(InFlight& flight, const api::Object& old, Time now) {
  ApiRequest deletion = deletion_of(flight.request);
  flight.request.dry_run = deletion.dry_run;
  // The pod has been marked; what is left is the delete.
  if (flight.proceeds) {
    deletion.delete_options.resource_version = Str();
    return decide_delete(deletion, old, {}, now);
  }
  const auto& pod = old.get<corev1::Pod>();
  const bool free_to_go = api::is_terminal(pod) || pod.status->phase == "Pending" || pod.metadata->deletion_timestamp;
  const std::vector<api::Object> budgets = free_to_go ? std::vector<api::Object>() : budgets_of(old);
  Plan plan;
  if (budgets.size() > 1) {
    plan.response.status = internal_error("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    return plan;
  }
  const bool charges = !budgets.empty() && !is_unguarded(pod, budgets[0].get<PodDisruptionBudget>());
  if (charges) {
    plan.response = ask(budgets[0].get<PodDisruptionBudget>());
    if (!plan.response.status.is_ok()) return plan;
  }
  plan = decide_delete(deletion, old, {}, now);
  if (charges) charge_budget(budgets[0], flight.request.name, now, plan);
  if (!plan.response.status.is_ok()) {
    plan.write = plan.spares_object = charges;
  } else if (options_.serves_clients && plan.write && !pod.metadata->deletion_timestamp) {
    plan.object = marked(old, now);
    plan.again = true;
  }
  return plan;
}

}  // namespace orrery::server
