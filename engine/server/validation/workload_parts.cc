#include "engine/server/validation/workload_parts.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

}  // namespace

void check_restarts_always(const corev1::PodTemplateSpec& tmpl, std::string_view kind, const Path& at, Findings& findings) {
  if (tmpl.spec->restart_policy != "Always")
    findings.not_supported(at.child("spec.restartPolicy"), tmpl.spec->restart_policy, {"Always"});
  if (tmpl.spec->active_deadline_seconds)
    findings.forbidden(at.child("spec.activeDeadlineSeconds"), str_cat("activeDeadlineSeconds in ", kind, " is not Supported"));
}

void check_template_matches(const api::Selector& selector, const corev1::PodTemplateSpec& tmpl, const Path& at, Findings& findings) {
  if (!selector.matches(tmpl.metadata->labels))
    findings.invalid(at.child("metadata.labels"), Shown::map(tmpl.metadata->labels), "`selector` does not match template `labels`");
}

void check_workload_selector(const Ref<metav1::LabelSelector>& selector, std::string_view empty_text, Findings& findings) {
  const Path at = kSpec.child("selector");
  if (!selector) return findings.required(at);
  check_label_selector(selector.get(), at, findings);
  if (selector->match_labels.empty() && selector->match_expressions.empty())
    findings.invalid(at, Shown::object(*selector), str_cat("empty selector is invalid for ", empty_text));
}

void check_replicated(const Ref<metav1::LabelSelector>& selector, const Ref<corev1::PodTemplateSpec>& tmpl, const PodRules& rules,
                      Findings& findings) {
  check_workload_selector(selector, "deployment", findings);
  const auto compiled = api::Selector::of(selector.get());
  if (!compiled.is_ok()) return findings.invalid(kSpec.child("selector"), Shown::object(*selector), "invalid label selector");
  const Path at = kSpec.child("template");
  if (!compiled->empty()) check_template_matches(*compiled, *tmpl, at, findings);
  check_pod_template(*tmpl, rules, at, findings);
  check_restarts_always(*tmpl, "ReplicaSet", at, findings);
}

void check_not_more(int32_t value, int32_t total, std::string_view name, std::string_view text, Findings& findings) {
  if (value > total) findings.invalid(kStatus.child(name), value, text);
}

std::span<const CheckRow> workload_checks() {
  static const CheckRow kRows[] = {deployment_row(), daemon_set_row(), stateful_set_row(), replica_set_row(), replication_controller_row()};
  return kRows;
}

}  // namespace orrery::server
