// Subresources of pods that are no updates: binding and eviction.
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/label_selector.h"
#include "engine/api/pod_resources.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

const Str kPodScheduled = Str::literal("PodScheduled"), kTrue = Str::literal("True");

}  // namespace

namespace {

Status check_binding(const corev1::Binding& binding) {
  if (!binding.target.kind.empty() && binding.target.kind != "Node")
    return internal_error(str_cat("target.kind: Unsupported value: \"", binding.target.kind,
                                  "\": supported values: \"Node\", \"<empty>\""));
  return binding.target.name.empty() ? internal_error("target.name: Required value") : Status::ok();
}

ApiResponse binding_conflict(const Str& pod, std::string_view why) {
  ApiResponse response;
  response.status =
      Status(Code::kConflict, str_cat("Operation cannot be fulfilled on pods/binding \"", pod, "\": ", why));
  auto& details = response.details.mut();
  details.name = pod;
  details.kind = "pods/binding";
  return response;
}

}  // namespace

Server::Plan Server::plan_binding(const ApiRequest& request, const api::Object& old, Time now) const {
  Plan plan;
  const auto& binding = request.object.get<corev1::Binding>();
  const auto& pod = old.get<corev1::Pod>();
  const auto refuse = [&](std::string why) {
    plan.response = binding_conflict(request.name, why);
    return std::move(plan);
  };
  plan.response.status = check_binding(binding);
  plan.response.unclassified = true;
  if (!plan.response.status.is_ok()) return plan;
  plan.response.unclassified = false;
  const Str& uid = binding.metadata->uid;
  if (!uid.empty() && uid != old.meta().uid)
    return refuse(str_cat("Precondition failed: UID in precondition: ", uid, ", UID in object meta: ", old.meta().uid));
  if (pod.metadata->deletion_timestamp)
    return refuse(str_cat("pod ", request.name, " is being deleted, cannot be assigned to a host"));
  if (!pod.spec->node_name.empty())
    return refuse(str_cat("pod ", request.name, " is already assigned to node \"", pod.spec->node_name, "\""));
  if (!pod.spec->scheduling_gates.empty())
    return refuse(str_cat("pod ", request.name, " has non-empty .spec.schedulingGates"));
  plan.object = old;
  auto& fresh = plan.object.mut<corev1::Pod>();
  fresh.spec.mut().node_name = binding.target.name;
  for (const auto& [key, value] : binding.metadata->annotations) fresh.metadata.mut().annotations.set(key, value);
  corev1::PodCondition scheduled;
  scheduled.type = "PodScheduled";
  scheduled.status = "True";
  scheduled.last_transition_time = api::Timestamp::whole_seconds(now);
  api::set_condition(fresh.status.mut(), std::move(scheduled));
  plan.write = true;
  return plan;
}

Server::Plan Server::plan_eviction(InFlight& flight, const api::Object& old, Time now) {
  const ApiRequest& request = flight.request;
  const auto& pod = old.get<corev1::Pod>();
  ApiRequest deletion = request;
  const auto& eviction = request.object.get<policyv1::Eviction>();
  if (eviction.delete_options) {
    deletion.delete_options.grace_seconds = eviction.delete_options->grace_period_seconds;
    deletion.delete_options.propagation_policy = eviction.delete_options->propagation_policy.value_or(Str());
    if (eviction.delete_options->preconditions) {
      deletion.delete_options.uid = eviction.delete_options->preconditions->uid.value_or(Str());
      deletion.delete_options.resource_version = eviction.delete_options->preconditions->resource_version.value_or(Str());
    }
    if (!eviction.delete_options->dry_run.empty()) flight.request.dry_run = true;
  }
  const bool free_to_go = api::is_terminal(pod) || pod.status->phase == "Pending" || pod.metadata->deletion_timestamp;
  static const api::KindDesc& kBudgets = *policyv1::PodDisruptionBudget::descriptor().kind;
  std::vector<api::Object> budgets;
  if (!free_to_go) {
    Selection in_namespace;
    in_namespace.ns = request.ns;
    for (const api::Object& budget : caches_[kBudgets.id].list(in_namespace)) {
      const auto& spec = budget.get<policyv1::PodDisruptionBudget>().spec;
      const auto selector = api::Selector::of(spec->selector.get());
      if (selector.is_ok() && selector->matches(pod.metadata->labels)) budgets.push_back(budget);
    }
  }
  if (budgets.empty()) return decide_delete(deletion, old, {}, now);
  Plan plan;
  if (budgets.size() > 1) {
    plan.response.status = internal_error("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    return plan;
  }
  const auto& budget = budgets[0].get<policyv1::PodDisruptionBudget>();
  if (budget.status->observed_generation < budget.metadata->generation) {
    plan.response.status = Status(Code::kTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.");
    plan.response.causes.push_back({"DisruptionBudget", Str(str_cat("The disruption budget ", budget.metadata->name,
                                    " is still being processed by the server.")), ""});
    plan.response.retry_after_seconds = 10;
    return plan;
  }
  if (budget.status->disruptions_allowed <= 0) {
    plan.response.status = Status(Code::kTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.");
    plan.response.causes.push_back({"DisruptionBudget", Str(str_cat("The disruption budget ", budget.metadata->name, " needs ",
                                    int{budget.status->desired_healthy}, " healthy pods and has ", int{budget.status->current_healthy}, " currently")), ""});
    return plan;
  }
  plan = decide_delete(deletion, old, {}, now);
  // The budget is charged in the same transaction.
  StoreOp charge;
  charge.range.key = store_key(kBudgets, request.ns, budget.metadata->name);
  charge.value.object = budgets[0];
  auto& charged = charge.value.object.mut<policyv1::PodDisruptionBudget>();
  charged.metadata.mut().resource_version = Str();
  --charged.status.mut().disruptions_allowed;
  charged.status.mut().disrupted_pods.set(request.name, api::Timestamp::whole_seconds(now));
  plan.compares.push_back({charge.range.key, StoreCompare::Target::kModRevision, StoreCompare::Op::kEqual,
                           caches_[kBudgets.id].find(charge.range.key)->revision});
  plan.more.push_back(std::move(charge));
  return plan;
}

}  // namespace orrery::server
