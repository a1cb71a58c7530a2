// Deletes that ask a disruption budget first.
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/label_selector.h"
#include "engine/server/eviction.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

using policyv1::PodDisruptionBudget;

const api::KindDesc& budget_kind() { return *PodDisruptionBudget::descriptor().kind; }

}  // namespace

std::vector<api::Object> Server::budgets_of(const api::Object& pod) const {
  std::vector<api::Object> budgets;
  for (const api::Object& budget : list(budget_kind(), pod.meta().namespace_)) {
    const auto selector = api::Selector::of(budget.get<PodDisruptionBudget>().spec->selector.get());
    if (selector.is_ok() && selector->matches(pod.meta().labels)) budgets.push_back(budget);
  }
  return budgets;
}

// The budget is charged in the transaction that takes the pod, also if the pod then stays after all.
void Server::charge_budget(const api::Object& budget, const Str& pod, Time now, Plan& plan) const {
  const api::KindDesc& kind = budget_kind();
  StoreOp op;
  op.range.key = store_key(kind, budget.meta().namespace_, budget.meta().name);
  op.value.object = budget;
  take_from_budget(op.value.object, pod, now);
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
  const auto& eviction = flight.request.object.get<policyv1::Eviction>();
  if (eviction.delete_options && !eviction.delete_options->dry_run.empty()) flight.request.dry_run = true;
  const std::vector<api::Object> budgets = budgets_of(old);
  ApiRequest deletion = flight.request;
  // The pod has been marked; what is left is the delete.
  if (flight.proceeds) {
    deletion.delete_options = eviction_options(eviction);
    deletion.delete_options.resource_version.reset();
    return decide_delete(deletion, old, {}, now);
  }
  EvictionVerdict verdict = judge_eviction(old, budgets, eviction, flight.request.dry_run, now);
  Plan plan;
  plan.response = std::move(verdict.refusal);
  if (!plan.response.status.is_ok()) return plan;
  const bool charges = static_cast<bool>(verdict.charged);
  ApiResponse conflict = check_eviction(verdict, old);
  const bool marks = options_.serves_clients && !flight.request.dry_run;
  deletion.delete_options = marks ? mark_options(verdict.options) : verdict.options;
  if (conflict.status.is_ok()) plan = decide_delete(deletion, old, {}, now);
  if (charges) charge_budget(budgets[0], old.meta().name, now, plan);
  if (!conflict.status.is_ok()) {
    plan.response = std::move(conflict);
    plan.write = plan.spares_object = charges;
  } else if (api::Object marked = old; marks && plan.response.status.is_ok() && mark_as_evicted(marked, now)) {
    plan.object = std::move(marked);
    plan.write = plan.again = true;
  }
  return plan;
}

}  // namespace orrery::server
