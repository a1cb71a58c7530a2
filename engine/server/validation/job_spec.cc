#include "engine/server/validation/jobs.h"

namespace orrery::server {
namespace {

void check_actions(const batchv1::JobSpec& spec, const batchv1::PodFailurePolicyRule& rule, const Path& at, Findings& findings) {
  if (rule.action.empty()) findings.required(at, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
  else if (!is_one_of(rule.action, {"Count", "FailIndex", "FailJob", "Ignore"}))
    findings.not_supported(at, rule.action, {"Count", "FailIndex", "FailJob", "Ignore"});
  else if (rule.action == "FailIndex" && !spec.backoff_limit_per_index)
    findings.invalid(at, rule.action, "requires the backoffLimitPerIndex to be set");
}

std::string list_text(const List<int32_t>& values) {
  if (values.is_nil()) return "[]int32(nil)";
  std::string text = "[]int32{";
  for (const int32_t v : values) text += str_cat(text.back() == '{' ? "" : ", ", int{v});
  return text + "}";
}

void check_exit_codes(const batchv1::PodFailurePolicyOnExitCodesRequirement& codes, const Seen& containers, const Path& at,
                      Findings& findings) {
  constexpr size_t kValuesMax = 255;
  const Path values = at.child("values");
  if (codes.operator_.empty()) findings.required(at.child("operator"), "valid values: [\"In\" \"NotIn\"]");
  else if (!is_one_of(codes.operator_, {"In", "NotIn"})) findings.not_supported(at.child("operator"), codes.operator_, {"In", "NotIn"});
  if (codes.container_name && !containers.has(*codes.container_name))
    findings.invalid(at.child("containerName"), *codes.container_name,
                     "must be one of the container or initContainer names in the pod template");
  if (codes.values.empty()) findings.invalid(values, Shown::raw(list_text(codes.values)), "at least one value is required");
  else if (codes.values.size() > kValuesMax) findings.too_many(values, codes.values.size(), kValuesMax);
  bool ordered = true;
  std::unordered_set<int32_t> seen;
  for (size_t i = 0; i < codes.values.size(); ++i) {
    const int32_t value = codes.values[i];
    if (codes.operator_ == "In" && value == 0) findings.invalid(values.index(i), value, "must not be 0 for the In operator");
    if (!seen.insert(value).second) findings.duplicate(values.index(i), value);
    ordered = ordered && (i == 0 || codes.values[i - 1] <= value);
  }
  if (!ordered) findings.invalid(values, Shown::raw(list_text(codes.values)), "must be ordered");
}

void check_failure_conditions(const List<batchv1::PodFailurePolicyOnPodConditionsPattern>& patterns, const Path& at, Findings& findings) {
  constexpr size_t kPatternsMax = 20;
  if (patterns.size() > kPatternsMax) findings.too_many(at, patterns.size(), kPatternsMax);
  for (size_t i = 0; i < patterns.size(); ++i) {
    const Path here = at.index(i);
    check_qualified(patterns[i].type, here.child("type"), findings);
    if (patterns[i].status.empty()) findings.required(here.child("status"), "valid values: [\"False\" \"True\" \"Unknown\"]");
    else if (!is_one_of(patterns[i].status, {"False", "True", "Unknown"}))
      findings.not_supported(here.child("status"), patterns[i].status, {"False", "True", "Unknown"});
  }
}

void check_failure_policy(const batchv1::JobSpec& spec, const Path& at, Findings& findings) {
  constexpr size_t kRulesMax = 20;
  const auto& rules = spec.pod_failure_policy->rules;
  if (rules.size() > kRulesMax) findings.too_many(at.child("rules"), rules.size(), kRulesMax);
  Seen containers;
  for (const auto& c : spec.template_->spec->containers) containers.insert(c.name);
  for (const auto& c : spec.template_->spec->init_containers) containers.insert(c.name);
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto& rule = rules[i];
    const Path here = at.child("rules", i);
    check_actions(spec, rule, here.child("action"), findings);
    if (rule.on_exit_codes) check_exit_codes(*rule.on_exit_codes, containers, here.child("onExitCodes"), findings);
    check_failure_conditions(rule.on_pod_conditions, here.child("onPodConditions"), findings);
    if (rule.on_exit_codes && !rule.on_pod_conditions.empty())
      findings.invalid_here(here, "specifying both OnExitCodes and OnPodConditions is not supported");
    if (!rule.on_exit_codes && rule.on_pod_conditions.empty())
      findings.invalid_here(here, "specifying one of OnExitCodes and OnPodConditions is required");
  }
}

void check_success_rule(const batchv1::SuccessPolicyRule& rule, int64_t completions, const Path& at, Findings& findings) {
  constexpr size_t kIndexesMax = 64 * 1024;
  if (!rule.succeeded_count && !rule.succeeded_indexes)
    findings.required(at, "at least one of succeededCount or succeededIndexes must be specified");
  int64_t total = 0;
  if (rule.succeeded_indexes) {
    const Path here = at.child("succeededIndexes");
    if (rule.succeeded_indexes->size() > kIndexesMax) findings.too_long(here, kIndexesMax);
    const auto counted = count_indexes(*rule.succeeded_indexes, completions);
    if (counted.is_ok()) total = *counted;
    else findings.invalid(here, *rule.succeeded_indexes, str_cat("error parsing succeededIndexes: ", counted.status().message()));
  }
  if (!rule.succeeded_count) return;
  const Path here = at.child("succeededCount");
  const int32_t count = *rule.succeeded_count;
  findings.non_negative(count, here);
  if (count > completions)
    findings.invalid(here, count, str_cat("must be less than or equal to ", completions, " (the number of specified completions)"));
  if (rule.succeeded_indexes && count > total)
    findings.invalid(here, count, str_cat("must be less than or equal to ", total,
                                          " (the number of indexes in the specified succeededIndexes field)"));
}

void check_success_policy(const batchv1::JobSpec& spec, const Path& at, Findings& findings) {
  constexpr size_t kRulesMax = 20;
  const auto& rules = spec.success_policy->rules;
  if (rules.empty()) findings.required(at.child("rules"), "at least one rules must be specified when the successPolicy is specified");
  if (rules.size() > kRulesMax) findings.too_many(at.child("rules"), rules.size(), kRulesMax);
  for (size_t i = 0; i < rules.size(); ++i) check_success_rule(rules[i], spec.completions.value_or(0), at.child("rules", i), findings);
}

void check_counts(const batchv1::JobSpec& spec, const Path& at, Findings& findings) {
  constexpr size_t kManagedByMax = 63;
  const auto count = [&](const auto& value, std::string_view name) {
    if (value) findings.non_negative(*value, at.child(name));
  };
  count(spec.parallelism, "parallelism");
  count(spec.completions, "completions");
  count(spec.active_deadline_seconds, "activeDeadlineSeconds");
  count(spec.backoff_limit, "backoffLimit");
  count(spec.ttl_seconds_after_finished, "ttlSecondsAfterFinished");
  count(spec.backoff_limit_per_index, "backoffLimitPerIndex");
  count(spec.max_failed_indexes, "maxFailedIndexes");
  if (spec.max_failed_indexes && !spec.backoff_limit_per_index)
    findings.required(at.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
  if (!spec.managed_by) return;
  check_domain_prefixed_path(*spec.managed_by, at.child("managedBy"), findings);
  if (spec.managed_by->size() > kManagedByMax) findings.too_long(at.child("managedBy"), kManagedByMax);
}

void check_many_indexes(const batchv1::JobSpec& spec, const Path& at, Findings& findings) {
  constexpr int32_t kMany = 100'000, kMax = 10'000;
  constexpr std::string_view kText =
      "must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index";
  if (spec.completions.value_or(0) <= kMany || !spec.backoff_limit_per_index) return;
  if (!spec.max_failed_indexes) findings.required(at.child("maxFailedIndexes"), "must be specified when completions is above 100000");
  if (spec.parallelism.value_or(0) > kMax) findings.invalid(at.child("parallelism"), *spec.parallelism, kText);
  if (spec.max_failed_indexes.value_or(0) > kMax) findings.invalid(at.child("maxFailedIndexes"), *spec.max_failed_indexes, kText);
}

void check_completion_mode(const batchv1::JobSpec& spec, const Path& at, Findings& findings) {
  constexpr int32_t kIndexedMax = 100'000;
  const Str mode = spec.completion_mode.value_or(Str("NonIndexed"));
  if (!is_one_of(mode, {"NonIndexed", "Indexed"})) findings.not_supported(at.child("completionMode"), mode, {"NonIndexed", "Indexed"});
  if (mode == "Indexed") {
    if (!spec.completions) findings.required(at.child("completions"), "when completion mode is Indexed");
    if (spec.parallelism.value_or(0) > kIndexedMax)
      findings.invalid(at.child("parallelism"), *spec.parallelism, "must be less than or equal to 100000 when completion mode is Indexed");
    if (spec.completions && spec.max_failed_indexes && *spec.max_failed_indexes > *spec.completions)
      findings.invalid(at.child("maxFailedIndexes"), *spec.max_failed_indexes, "must be less than or equal to completions");
    if (spec.max_failed_indexes.value_or(0) > kIndexedMax)
      findings.invalid(at.child("maxFailedIndexes"), *spec.max_failed_indexes, "must be less than or equal to 100000");
    check_many_indexes(spec, at, findings);
  } else if (mode == "NonIndexed") {
    constexpr std::string_view kText = "requires indexed completion mode";
    if (spec.backoff_limit_per_index) findings.invalid(at.child("backoffLimitPerIndex"), *spec.backoff_limit_per_index, kText);
    if (spec.max_failed_indexes) findings.invalid(at.child("maxFailedIndexes"), *spec.max_failed_indexes, kText);
  }
}

void check_restart_policy(const batchv1::JobSpec& spec, const Path& at, Findings& findings) {
  const Str& policy = spec.template_->spec->restart_policy;
  if (policy.empty() || policy == "Always")
    findings.required(at, "valid values: \"OnFailure\", \"Never\"");
  else if (!is_one_of(policy, {"OnFailure", "Never"}))
    findings.not_supported(at, policy, {"OnFailure", "Never"});
  else if (spec.pod_failure_policy && policy != "Never")
    findings.invalid(at, policy, "only \"Never\" is supported when podFailurePolicy is specified");
}

}  // namespace

void check_job_spec(const batchv1::JobSpec& spec, const PodRules& rules, const Path& at, Findings& findings) {
  check_counts(spec, at, findings);
  check_completion_mode(spec, at, findings);
  if (spec.pod_failure_policy) check_failure_policy(spec, at.child("podFailurePolicy"), findings);
  if (spec.success_policy && spec.completion_mode != Str("Indexed"))
    findings.invalid(at.child("successPolicy"), Shown::object(*spec.success_policy), "requires indexed completion mode");
  else if (spec.success_policy)
    check_success_policy(spec, at.child("successPolicy"), findings);
  if (spec.pod_replacement_policy) {
    const Path here = at.child("podReplacementPolicy");
    const Str& policy = *spec.pod_replacement_policy;
    if (spec.pod_failure_policy && policy != "Failed") findings.not_supported(here, policy, {"Failed"});
    else if (!is_one_of(policy, {"Failed", "TerminatingOrFailed"})) findings.not_supported(here, policy, {"Failed", "TerminatingOrFailed"});
  }
  check_pod_template(*spec.template_, rules, at.child("template"), findings);
  check_restart_policy(spec, at.child("template.spec.restartPolicy"), findings);
}

}  // namespace orrery::server
