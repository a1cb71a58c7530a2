#include "engine/control/disruption/budget_sync.h"

#include <algorithm>
#include <map>

#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/pod_util.h"
#include "engine/control/disruption/selector_text.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using Budget = policyv1::PodDisruptionBudget;
using BudgetStatus = policyv1::PodDisruptionBudgetStatus;
using DisruptedPods = Map<api::Timestamp>;

constexpr std::string_view kDisruptionAllowed = "DisruptionAllowed";

metav1::Condition* find_condition(BudgetStatus& status) {
  for (auto& condition : status.conditions.mut())
    if (condition.type == kDisruptionAllowed) return &condition;
  return nullptr;
}

void set_condition(BudgetStatus& status, bool allowed, std::string_view reason,
                   std::string_view message, Time now) {
  metav1::Condition* condition = find_condition(status);
  if (!condition) {
    condition = &status.conditions.push_back({});
    condition->type = kDisruptionAllowed;
  }
  const std::string_view value = allowed ? "True" : "False";
  if (condition->status != value)
    condition->last_transition_time = api::Timestamp::whole_seconds(now);
  condition->status = value;
  condition->observed_generation = status.observed_generation;
  condition->reason = reason;
  condition->message = message;
}

bool condition_is_current(const Budget& budget) {
  const BudgetStatus& status = *budget.status;
  for (const auto& condition : status.conditions)
    if (condition.type == kDisruptionAllowed)
      return (status.disruptions_allowed > 0 && condition.status == "True") ||
             (status.disruptions_allowed == 0 && condition.status == "False");
  return false;
}

bool same_pods(const DisruptedPods& a, const DisruptedPods& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](auto& x, auto& y) {
           return x.key == y.key && x.value == y.value;
         });
}

std::string resource_of(const api::KindDesc& kind) {
  return kind.group.empty() ? std::string(kind.plural) : str_cat(kind.plural, '.', kind.group);
}

/// As the scale subresource of its resource says; nullopt: there is no such controller.
Result<std::optional<ControllerScale>> ask_for_scale(const BudgetInputs::Controller& controller,
                                                     const Str& ns, WriteLog& log) {
  const auto& reference = controller.reference;
  if (!controller.kind)
    return Status(Code::kInternal, str_cat("no matches for kind \"", reference.kind,
                                           "\" in version \"", reference.api_version, '"'));
  const ApiResponse& found = log.call([&] {
    ApiRequest request = get_request(*controller.kind, ns, reference.name);
    request.subresource = "scale";
    return request;
  });
  if (found.status.code() == Code::kNotFound) {
    if (controller.kind->subresources.find("scale") == std::string_view::npos)
      return Status(Code::kInternal, str_cat(resource_of(*controller.kind),
                                             " does not implement the scale subresource"));
    return std::optional<ControllerScale>();
  }
  if (!found.status) return found.status;
  const auto& scale = found.object.get<autoscalingv1::Scale>();
  if (scale.metadata->uid != reference.uid) return std::optional<ControllerScale>();
  return std::optional(ControllerScale{reference.uid, scale.spec->replicas});
}

struct Expectation {
  int32_t pods = 0;
  int32_t healthy = 0;
  bool unmanaged = false;  // some pods have no controller
};

/// The scales of all controllers of the pods together.
Status add_scales(const BudgetInputs& in, WriteLog& log, Expectation& expected) {
  std::map<Str, int32_t> scales;
  for (const api::Object& pod : in.pods) {
    const auto* owner = api::controller_of(pod.meta());
    expected.unmanaged |= !owner;
    if (!owner || scales.contains(owner->uid)) continue;
    const auto known = std::find_if(in.controllers.begin(), in.controllers.end(),
                                    [&](const auto& one) { return one.is(*owner); });
    std::optional<ControllerScale> scale = known->scale;
    if (!scale) {
      ORRERY_ASSIGN(scale, ask_for_scale(*known, pod.meta().namespace_, log));
    }
    if (!scale)
      return Status(Code::kInternal,
                    str_cat("found no controllers for pod \"", pod.meta().name, '"'));
    scales[scale->uid] = scale->replicas;
  }
  for (const auto& [uid, replicas] : scales) expected.pods += replicas;
  return Status();
}

Result<Expectation> expectation(const BudgetInputs& in, WriteLog& log) {
  const auto& spec = *in.budget.get<Budget>().spec;
  Expectation expected;
  if (spec.max_unavailable) {
    ORRERY_TRY(add_scales(in, log, expected));
    ORRERY_ASSIGN(const int64_t away,
                  api::scaled_int_or_percent(*spec.max_unavailable, expected.pods, true));
    expected.healthy = std::max(0, expected.pods - static_cast<int32_t>(away));
  } else if (spec.min_available && !spec.min_available->is_text) {
    expected.healthy = spec.min_available->number;
    expected.pods = static_cast<int32_t>(in.pods.size());
  } else if (spec.min_available) {
    ORRERY_TRY(add_scales(in, log, expected));
    ORRERY_ASSIGN(const int64_t there,
                  api::scaled_int_or_percent(*spec.min_available, expected.pods, true));
    expected.healthy = static_cast<int32_t>(there);
  }
  return expected;
}

/// Those that are still to go, of the pods that evictions have taken from the budget.
DisruptedPods still_disrupted(const BudgetInputs& in, WriteLog& log, Duration& recheck) {
  const auto& budget = in.budget.get<Budget>();
  DisruptedPods out;
  for (const api::Object& pod : in.pods) {
    const auto& meta = pod.meta();
    const api::Timestamp* since = budget.status->disrupted_pods.find(meta.name);
    if (meta.deletion_timestamp || !since) continue;
    const Time until = since->time() + kDisruptionTimeout;
    if (until < in.now) {
      log.event(pod, "Warning", "NotDeleted",
                str_cat("Pod was expected by PDB ", meta.namespace_, '/', meta.namespace_,
                        " to be deleted but it wasn't"));
      continue;
    }
    recheck = std::min(recheck, until - in.now);
    out.set(meta.name, *since);
  }
  return out;
}

int32_t count_healthy(const BudgetInputs& in, const DisruptedPods& disrupted) {
  int32_t healthy = 0;
  for (const api::Object& pod : in.pods) {
    const api::Timestamp* since = disrupted.find(pod.meta().name);
    const bool goes = since && since->time() + kDisruptionTimeout > in.now;
    if (!goes && !pod.meta().deletion_timestamp && api::is_pod_ready(pod.get<corev1::Pod>()))
      ++healthy;
  }
  return healthy;
}

Status write_status(const BudgetInputs& in, const Expectation& expected, int32_t healthy,
                    const DisruptedPods& disrupted, WriteLog& log) {
  const auto& budget = in.budget.get<Budget>();
  const BudgetStatus& old = *budget.status;
  const int32_t allowed = expected.pods > 0 ? std::max(0, healthy - expected.healthy) : 0;
  const bool same = old.current_healthy == healthy && old.desired_healthy == expected.healthy &&
                    old.expected_pods == expected.pods && old.disruptions_allowed == allowed &&
                    same_pods(old.disrupted_pods, disrupted) &&
                    old.observed_generation == budget.metadata->generation;
  if (same && condition_is_current(budget)) return Status();
  return log
      .call([&] {
        api::Object fresh = in.budget;
        BudgetStatus& status = fresh.mut<Budget>().status.mut();
        status.current_healthy = healthy;
        status.desired_healthy = expected.healthy;
        status.expected_pods = expected.pods;
        status.disruptions_allowed = allowed;
        status.disrupted_pods = disrupted;
        status.observed_generation = budget.metadata->generation;
        set_condition(status, allowed > 0, allowed > 0 ? "SufficientPods" : "InsufficientPods", "",
                      in.now);
        return update_request(std::move(fresh), "status");
      })
      .status;
}

Status try_sync(const BudgetInputs& in, WriteLog& log) {
  if (!in.selector) {
    log.event(in.budget, "Warning", "NoPods",
              str_cat("Failed to get pods: ", in.selector.message()));
    return in.selector;
  }
  if (in.pods.empty()) log.event(in.budget, "Normal", "NoPods", "No matching pods found");
  const auto expected = expectation(in, log);
  if (log.pending()) return expected.status();
  if (!expected) {
    log.event(in.budget, "Warning", "CalculateExpectedPodCountFailed",
              str_cat("Failed to calculate the number of expected pods: ",
                      expected.status().message()));
    return expected.status();
  }
  if (expected->unmanaged) {
    log.event(in.budget, "Warning", "UnmanagedPods", [&] {
      return Str(str_cat(
          "Pods selected by this PodDisruptionBudget (selector: ",
          selector_text(in.budget.get<Budget>().spec->selector.get()),
          ") were found to be unmanaged. As a result, the status of the PDB cannot be calculated "
          "correctly, which may result in undefined behavior. To account for these pods please set "
          "\".spec.minAvailable\" field of the PDB to an integer value."));
    });
  }
  Duration recheck = Duration::max();
  const DisruptedPods disrupted = still_disrupted(in, log, recheck);
  ORRERY_TRY(write_status(in, *expected, count_healthy(in, disrupted), disrupted, log));
  if (recheck < Duration::max()) log.requeue_after(recheck);
  return Status();
}

Status write_failure(const BudgetInputs& in, const Status& failure, WriteLog& log) {
  return log
      .call([&] {
        api::Object fresh = in.budget;
        BudgetStatus& status = fresh.mut<Budget>().status.mut();
        status.disruptions_allowed = 0;
        set_condition(status, false, "SyncFailed", failure.message(), in.now);
        return update_request(std::move(fresh), "status");
      })
      .status;
}

}  // namespace

Status sync_budget(const BudgetInputs& in, WriteLog& log) {
  const Status status = try_sync(in, log);
  if (status || log.pending() || status.code() == Code::kConflict) return status;
  return write_failure(in, status, log);
}

}  // namespace orrery::control
