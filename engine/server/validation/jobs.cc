// Jobs: their specs, and what may change. Source: Kubernetes v1.32 pkg/apis/batch/validation,
// pkg/registry/batch/job.
#include "engine/api/label_selector.h"
#include "engine/api/names.h"
#include "engine/server/validation/jobs.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");

void check_has_label(const Map<Str>& labels, std::string_view key, std::string_view expected, Findings& findings) {
  constexpr Path kLabels("spec.template.metadata.labels");
  const Str* value = labels.find(key);
  if (!value) return findings.required(kLabels.key(key), str_cat("must be '", expected, "'"));
  if (*value != expected) findings.invalid(kLabels.key(key), Shown::map(labels), str_cat("must be '", expected, "'"));
}

void check_generated_selector(const batchv1::Job& job, bool prefixed, Findings& findings) {
  const auto& spec = *job.spec;
  if (spec.manual_selector.value_or(false) || !spec.selector) return;
  const auto& labels = spec.template_->metadata->labels;
  const Str &uid = job.metadata->uid, &name = job.metadata->name;
  if (uid.empty()) findings.required(Path("metadata.uid"));
  check_has_label(labels, "controller-uid", uid, findings);
  check_has_label(labels, "job-name", name, findings);
  Map<Str> expected;
  if (prefixed) {
    check_has_label(labels, "batch.kubernetes.io/controller-uid", uid, findings);
    check_has_label(labels, "batch.kubernetes.io/job-name", name, findings);
    expected.set("batch.kubernetes.io/controller-uid", uid);
    expected.set("batch.kubernetes.io/job-name", name);
  }
  expected.set("controller-uid", uid);
  expected.set("job-name", name);
  const auto selector = api::Selector::of(spec.selector.get());
  if (selector.is_ok() && !selector->matches(expected))
    findings.invalid(kSpec.child("selector"), Shown::object(*spec.selector), "`selector` not auto-generated");
}

// The spec of a Job, not of a template: with its selector.
void check_selected_spec(const batchv1::JobSpec& spec, const PodRules& rules, bool any_label_values, Findings& findings) {
  check_job_spec(spec, rules, kSpec, findings);
  const Path at = kSpec.child("selector");
  if (!spec.selector) findings.required(at);
  else check_label_selector(spec.selector.get(), at, findings, {any_label_values});
  const auto selector = api::Selector::of(spec.selector.get());
  const auto& labels = spec.template_->metadata->labels;
  if (selector.is_ok() && !selector->matches(labels))
    findings.invalid(kSpec.child("template.metadata.labels"), Shown::map(labels), "`selector` does not match template `labels`");
}

void check_job(const batchv1::Job& job, const PodRules& rules, bool prefixed, bool any_label_values, Findings& findings) {
  const auto& spec = *job.spec;
  check_object_meta(*job.metadata, true, name_is_subdomain, findings);
  check_generated_selector(job, prefixed, findings);
  check_selected_spec(spec, rules, any_label_values, findings);
  if (spec.completion_mode != Str("Indexed") || spec.completions.value_or(0) <= 0) return;
  const std::string hostname = str_cat(job.metadata->name, "-", int{*spec.completions - 1});
  if (!api::check_dns1123_label(hostname).empty())
    findings.invalid(Path("metadata.name"), job.metadata->name,
                     str_cat("will not able to create pod with invalid DNS label: ", hostname));
}

void check_create(const batchv1::Job& job, Findings& findings) { check_job(job, {}, true, false, findings); }

void check_completions(const batchv1::JobSpec& spec, const batchv1::JobSpec& old, Findings& findings) {
  if (spec.completions == old.completions) return;
  const Path at = kSpec.child("completions");
  const Shown value = spec.completions ? Shown(*spec.completions) : Shown("null");
  if (spec.completion_mode != Str("Indexed")) return findings.invalid(at, value, Findings::kImmutable);
  if (spec.completions && *spec.completions != spec.parallelism.value_or(0))
    findings.invalid(at, value, "can only be modified in tandem with spec.parallelism");
}

// While suspended and never started, a job may be told where to run.
void check_template_update(const batchv1::Job& job, const batchv1::Job& old, Findings& findings) {
  const auto& fresh = *job.spec->template_;
  corev1::PodTemplateSpec before = *old.spec->template_;
  if (old.spec->suspend.value_or(false) && !old.status->start_time) {
    auto& spec = before.spec.mut();
    if (fresh.spec->affinity || spec.affinity) {
      auto& affinity = spec.affinity.mut();
      affinity.node_affinity = fresh.spec->affinity ? fresh.spec->affinity->node_affinity : Ref<corev1::NodeAffinity>();
      if (!fresh.spec->affinity && !affinity.pod_affinity && !affinity.pod_anti_affinity) spec.affinity.reset();
    }
    spec.node_selector = fresh.spec->node_selector;
    spec.tolerations = fresh.spec->tolerations;
    spec.scheduling_gates = fresh.spec->scheduling_gates;
    before.metadata.mut().annotations = fresh.metadata->annotations;
    before.metadata.mut().labels = fresh.metadata->labels;
  }
  check_immutable_struct(fresh, before, kSpec.child("template"), findings);
}

template <typename T>
void check_immutable_opt(const Opt<T>& value, const Opt<T>& old, std::string_view name, Findings& findings) {
  if (!(value == old)) findings.invalid(kSpec.child(name), value ? Shown(*value) : Shown("null"), Findings::kImmutable);
}

void check_update(const batchv1::Job& job, const batchv1::Job& old, Findings& findings) {
  const auto &spec = *job.spec, &before = *old.spec;
  const PodRules rules = PodRules::replacing(*before.template_->spec);
  const bool any_values = has_invalid_label_value(before.selector.get());
  const auto& labels = before.template_->metadata->labels;
  const bool prefixed = labels.contains("batch.kubernetes.io/job-name") && labels.contains("batch.kubernetes.io/controller-uid");
  check_job(job, rules, prefixed, any_values, findings);
  check_object_meta_update(*job.metadata, *old.metadata, findings);
  check_selected_spec(spec, rules, any_values, findings);
  check_completions(spec, before, findings);
  check_immutable_struct(spec.selector, before.selector, kSpec.child("selector"), findings);
  check_template_update(job, old, findings);
  check_immutable_opt(spec.completion_mode, before.completion_mode, "completionMode", findings);
  check_immutable_struct(spec.pod_failure_policy, before.pod_failure_policy, kSpec.child("podFailurePolicy"), findings);
  check_immutable_opt(spec.backoff_limit_per_index, before.backoff_limit_per_index, "backoffLimitPerIndex", findings);
  check_immutable_opt(spec.managed_by, before.managed_by, "managedBy", findings);
  check_immutable_struct(spec.success_policy, before.success_policy, kSpec.child("successPolicy"), findings);
}

}  // namespace

std::span<const CheckRow> batch_checks() {
  static const CheckRow kRows[] = {check_row<batchv1::Job, check_create, check_update, check_job_status>(), cron_job_row()};
  return kRows;
}

}  // namespace orrery::server
