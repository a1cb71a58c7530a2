// Pod disruption budgets. Source: Kubernetes v1.32 pkg/apis/policy/validation.
#include "engine/api/gen/policyv1.h"
#include "engine/server/validation/int_or_percent.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using policyv1::PodDisruptionBudget;

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

void check_count(const Opt<api::IntOrString>& count, const Path& at, Findings& findings) {
  if (!count) return;
  check_int_or_percent(*count, at, findings);
  check_percent_max(*count, at, findings);
}

void check_spec(const PodDisruptionBudget& budget, SelectorRules rules, Findings& findings) {
  const auto& spec = *budget.spec;
  if (spec.min_available && spec.max_unavailable)
    findings.invalid(kSpec, Shown::object(spec), "minAvailable and maxUnavailable cannot be both set");
  check_count(spec.min_available, kSpec.child("minAvailable"), findings);
  check_count(spec.max_unavailable, kSpec.child("maxUnavailable"), findings);
  check_label_selector(spec.selector.get(), kSpec.child("selector"), findings, rules);
  const auto& policy = spec.unhealthy_pod_eviction_policy;
  if (policy && !is_one_of(*policy, {"AlwaysAllow", "IfHealthyBudget"}))
    findings.not_supported(kSpec.child("unhealthyPodEvictionPolicy"), *policy, {"AlwaysAllow", "IfHealthyBudget"});
}

void check_create(const PodDisruptionBudget& budget, Findings& findings) { check_spec(budget, {}, findings); }

void check_update(const PodDisruptionBudget& budget, const PodDisruptionBudget& old, Findings& findings) {
  check_spec(budget, {has_invalid_label_value(old.spec->selector.get())}, findings);
}

void check_status(const PodDisruptionBudget& budget, const PodDisruptionBudget&, Findings& findings) {
  const auto& status = *budget.status;
  check_conditions(status.conditions, kStatus.child("conditions"), findings);
  findings.non_negative(status.disruptions_allowed, kStatus.child("disruptionsAllowed"));
  findings.non_negative(status.current_healthy, kStatus.child("currentHealthy"));
  findings.non_negative(status.desired_healthy, kStatus.child("desiredHealthy"));
  findings.non_negative(status.expected_pods, kStatus.child("expectedPods"));
}

}  // namespace

std::span<const CheckRow> policy_checks() {
  static const CheckRow kRows[] = {check_row<PodDisruptionBudget, check_create, check_update, check_status>()};
  return kRows;
}

}  // namespace orrery::server
