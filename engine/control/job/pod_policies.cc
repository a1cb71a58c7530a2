#include "engine/control/job/pod_policies.h"

#include <algorithm>

#include "engine/base/str.h"

namespace orrery::control {
namespace {

using OnExitCodes = batchv1::PodFailurePolicyOnExitCodesRequirement;

bool exit_code_matches(const OnExitCodes& rule, int32_t code) {
  if (code == 0) return false;
  const bool listed = std::find(rule.values.begin(), rule.values.end(), code) != rule.values.end();
  if (rule.operator_ == "In") return listed;
  return rule.operator_ == "NotIn" && !listed;
}

const corev1::ContainerStatus* matching_container(const OnExitCodes& rule,
                                                  const List<corev1::ContainerStatus>& statuses) {
  for (const auto& status : statuses) {
    if (!status.state.terminated) continue;
    if (rule.container_name && *rule.container_name != status.name) continue;
    if (exit_code_matches(rule, status.state.terminated->exit_code)) return &status;
  }
  return nullptr;
}

const corev1::PodCondition* matching_condition(const batchv1::PodFailurePolicyRule& rule,
                                               const List<corev1::PodCondition>& conditions) {
  for (const auto& condition : conditions)
    for (const auto& pattern : rule.on_pod_conditions)
      if (pattern.type == condition.type && pattern.status == condition.status) return &condition;
  return nullptr;
}

/// What has matched, as the message of a FailJob begins; nothing if the rule does not match.
std::optional<std::string> match(const batchv1::PodFailurePolicyRule& rule,
                                 const corev1::Pod& pod) {
  const auto& meta = *pod.metadata;
  if (rule.on_exit_codes) {
    const auto* found = matching_container(*rule.on_exit_codes, pod.status->container_statuses);
    if (!found)
      found = matching_container(*rule.on_exit_codes, pod.status->init_container_statuses);
    if (!found) return std::nullopt;
    return str_cat("Container ", found->name, " for pod ", meta.namespace_, '/', meta.name,
                   " failed with exit code ", found->state.terminated->exit_code);
  }
  const auto* found = matching_condition(rule, pod.status->conditions);
  if (!found) return std::nullopt;
  return str_cat("Pod ", meta.namespace_, '/', meta.name, " has condition ", found->type);
}

bool rule_met(const batchv1::SuccessPolicyRule& rule, int64_t completions,
              const IndexSet& succeeded) {
  if (!rule.succeeded_indexes) return succeeded.total() >= rule.succeeded_count.value_or(0);
  const IndexSet required = IndexSet::parse(rule.succeeded_indexes->view(), completions);
  int64_t done = 0;
  for (const auto& interval : required.intervals())
    for (int64_t i = interval.first; i <= interval.last; ++i) done += succeeded.has(i);
  return done >= std::min<int64_t>(required.total(), rule.succeeded_count.value_or(INT32_MAX));
}

}  // namespace

FailureVerdict judge_failed_pod(const batchv1::PodFailurePolicy* policy, const corev1::Pod& pod) {
  if (!policy) return {};
  for (size_t i = 0; i < policy->rules.size(); ++i) {
    const auto& rule = policy->rules[i];
    const auto matched = match(rule, pod);
    if (!matched) continue;
    FailureVerdict verdict;
    verdict.action = rule.action.str();
    verdict.counts = rule.action != "Ignore";
    if (rule.action == "FailJob")
      verdict.message = str_cat(*matched, " matching FailJob rule at index ", i);
    return verdict;
  }
  return {};
}

std::optional<std::string> success_policy_met(const batchv1::SuccessPolicy* policy,
                                              int64_t completions, const IndexSet& succeeded) {
  if (!policy || succeeded.empty()) return std::nullopt;
  for (size_t i = 0; i < policy->rules.size(); ++i)
    if (rule_met(policy->rules[i], completions, succeeded))
      return str_cat("Matched rules at index ", i);
  return std::nullopt;
}

}  // namespace orrery::control
