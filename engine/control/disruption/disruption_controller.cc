#include "engine/control/disruption/disruption_controller.h"

#include <algorithm>

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/api/pod_resources.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using Budget = policyv1::PodDisruptionBudget;

constexpr size_t kBudgets = 0, kPods = 1, kFirstWorkload = 2, kWorkloadsEnd = 6;
constexpr std::string_view kPodPrefix = "pod/";

DisruptionOptions with_lazy_watches(DisruptionOptions options) {
  options.lazy_watches = true;
  return options;
}

/// How long ago a pod was said to be disrupted; nullopt: it was not, or will go.
std::optional<Duration> disrupted_for(const api::Object& object, Time now) {
  const auto& pod = object.get<corev1::Pod>();
  const auto* target = api::find_condition(*pod.status, "DisruptionTarget");
  if (!target || target->status != "True" || target->reason == "TerminationByKubelet")
    return std::nullopt;
  if (pod.metadata->deletion_timestamp || api::is_terminal(pod)) return std::nullopt;
  return now - target->last_transition_time.time();
}

}  // namespace

DisruptionController::DisruptionController(const Env& env, DisruptionOptions options)
    : Reconciler(env, "disruption-controller", with_lazy_watches(options), "controllermanager") {
  add_informer({&kind_of<Budget>(), {}, {}, {}}, {index_by_namespace});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_namespace});
  for (const api::KindDesc* kind :
       {&kind_of<corev1::ReplicationController>(), &kind_of<appsv1::ReplicaSet>(),
        &kind_of<appsv1::Deployment>(), &kind_of<appsv1::StatefulSet>()})
    add_lazy_informer({kind, {}, {}, {}});
}

void DisruptionController::on_change(const Ctx& ctx, size_t number, const Change& change) {
  if (number == kBudgets) {
    for (size_t lazy = kPods; lazy < kWorkloadsEnd; ++lazy) need(lazy);
    return enqueue(api::object_key(change.newest().meta()));
  }
  if (number != kPods) return;
  if (change.before) enqueue_budgets_of(change.before);
  if (!change.after) return;
  enqueue_budgets_of(change.after);
  enqueue_stale(ctx, change.after);
}

void DisruptionController::enqueue_budgets_of(const api::Object& pod) {
  informer(kBudgets).for_each_in(0, pod.meta().namespace_, [&](const api::Object& budget) {
    const auto selector = api::Selector::of(budget.get<Budget>().spec->selector.get());
    if (selector && selector->matches(pod.meta().labels))
      enqueue(api::object_key(budget.meta()));
  });
}

void DisruptionController::enqueue_stale(const Ctx& ctx, const api::Object& pod) {
  if (const auto age = disrupted_for(pod, ctx.now))
    enqueue_after(Str(str_cat(kPodPrefix, api::object_key(pod.meta()))), kDisruptionTimeout - *age);
}

DisruptionInputs DisruptionController::gather(const Ctx& ctx, const Str& key) {
  DisruptionInputs in;
  in.budget.now = ctx.now;
  if (key.view().starts_with(kPodPrefix)) {
    const api::Object* pod = informer(kPods).find(key.view().substr(kPodPrefix.size()));
    if (pod) in.pod = *pod;
    return in;
  }
  const api::Object* budget = informer(kBudgets).find(key.view());
  if (!budget) return in;
  in.budget.budget = *budget;
  gather_pods(in.budget);
  gather_controllers(in.budget);
  return in;
}

void DisruptionController::gather_pods(BudgetInputs& in) const {
  const auto selector = api::Selector::of(in.budget.get<Budget>().spec->selector.get());
  if (!selector) {
    in.selector = selector.status();
    return;
  }
  informer(kPods).for_each_in(0, in.budget.meta().namespace_, [&](const api::Object& pod) {
    if (selector->matches(pod.meta().labels)) in.pods.push_back(pod);
  });
  std::sort(in.pods.begin(), in.pods.end(), [](const api::Object& a, const api::Object& b) {
    return a.meta().name < b.meta().name;
  });
}

void DisruptionController::gather_controllers(BudgetInputs& in) const {
  const Str& ns = in.budget.meta().namespace_;
  const WorkloadLookup lookup = [this](const auto& kind, const Str& in_ns, const Str& name) {
    return find_workload(kind, in_ns, name);
  };
  for (const api::Object& pod : in.pods) {
    const auto* owner = api::controller_of(pod.meta());
    if (!owner) continue;
    const bool known = std::any_of(in.controllers.begin(), in.controllers.end(),
                                   [&](const auto& one) { return one.is(*owner); });
    if (known) continue;
    in.controllers.push_back({*owner, scale_of_controller(*owner, ns, lookup),
                              env().api->find_kind(owner->api_version, owner->kind)});
  }
}

const api::Object* DisruptionController::find_workload(const api::KindDesc& kind, const Str& ns,
                                                       const Str& name) const {
  for (size_t number = kFirstWorkload; number < kWorkloadsEnd; ++number)
    if (informer(number).kind() == &kind) return informer(number).find(ns, name);
  return nullptr;
}

Status DisruptionController::sync(const DisruptionInputs& in, WriteLog& log) {
  if (in.budget.budget) return sync_budget(in.budget, log);
  if (!in.pod) return Status();
  const auto age = disrupted_for(in.pod, in.budget.now);
  if (!age) return Status();
  if (*age < kDisruptionTimeout) {
    log.requeue_after(kDisruptionTimeout - *age);
    return Status();
  }
  return log
      .call_last([&] {
        api::Object pod = in.pod;
        corev1::PodCondition condition;
        condition.type = "DisruptionTarget";
        condition.status = "False";
        condition.last_transition_time = api::Timestamp::whole_seconds(in.budget.now);
        api::set_condition(pod.mut<corev1::Pod>().status.mut(), std::move(condition));
        return update_request(std::move(pod), "status");
      })
      .status;
}

}  // namespace orrery::control
