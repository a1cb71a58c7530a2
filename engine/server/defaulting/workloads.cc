#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/server/defaulting/defaults.h"

namespace orrery::server {
namespace {

void default_deployment(appsv1::Deployment& d) {
  auto& spec = d.spec.mut();
  set_if_absent(spec.replicas, 1);
  set_if_empty(spec.strategy.type, "RollingUpdate");
  if (spec.strategy.type == "RollingUpdate") {
    auto& rolling = spec.strategy.rolling_update.mut();
    set_if_absent(rolling.max_unavailable, api::IntOrString("25%"));
    set_if_absent(rolling.max_surge, api::IntOrString("25%"));
  } else if (spec.strategy.rolling_update) {
    // The internal form has no absent values; validation refuses the object anyway.
    auto& rolling = spec.strategy.rolling_update.mut();
    set_if_absent(rolling.max_unavailable, api::IntOrString(0));
    set_if_absent(rolling.max_surge, api::IntOrString(0));
  }
  set_if_absent(spec.revision_history_limit, 10);
  set_if_absent(spec.progress_deadline_seconds, 600);
  default_template(spec.template_);
}

void default_replica_set(appsv1::ReplicaSet& rs) {
  auto& spec = rs.spec.mut();
  set_if_absent(spec.replicas, 1);
  default_template(spec.template_);
}

void default_replication_controller(corev1::ReplicationController& rc) {
  auto& spec = rc.spec.mut();
  set_if_absent(spec.replicas, 1);
  if (!spec.template_) return;
  const Map<Str> labels = spec.template_->metadata->labels;
  if (spec.selector.empty()) spec.selector = labels;
  if (rc.metadata->labels.empty() && !labels.empty()) rc.metadata.mut().labels = labels;
  default_template(spec.template_);
}

void default_cron_job(batchv1::CronJob& cron) {
  auto& spec = cron.spec.mut();
  set_if_empty(spec.concurrency_policy, "Allow");
  set_if_absent(spec.suspend, false);
  set_if_absent(spec.successful_jobs_history_limit, 3);
  set_if_absent(spec.failed_jobs_history_limit, 1);
  default_template(spec.job_template.spec.mut().template_);
}

void default_failure_conditions(batchv1::JobSpec& spec) {
  if (!spec.pod_failure_policy) return;
  for (size_t r = 0; r < spec.pod_failure_policy->rules.size(); ++r)
    for (size_t i = 0; i < spec.pod_failure_policy->rules[r].on_pod_conditions.size(); ++i)
      if (spec.pod_failure_policy->rules[r].on_pod_conditions[i].status.empty())
        spec.pod_failure_policy.mut().rules.mut(r).on_pod_conditions.mut(i).status = "True";
}

void default_job(batchv1::Job& job) {
  auto& spec = job.spec.mut();
  if (!spec.completions && !spec.parallelism) spec.completions = spec.parallelism = 1;
  set_if_absent(spec.parallelism, 1);
  set_if_absent(spec.backoff_limit, spec.backoff_limit_per_index ? INT32_MAX : 6);
  set_if_absent(spec.completion_mode, Str("NonIndexed"));
  set_if_absent(spec.suspend, false);
  default_failure_conditions(spec);
  set_if_absent(spec.manual_selector, false);
  set_if_absent(spec.pod_replacement_policy, Str(spec.pod_failure_policy ? "Failed" : "TerminatingOrFailed"));
  default_template(spec.template_);
  const Map<Str> labels = spec.template_->metadata->labels;
  if (job.metadata->labels.empty() && !labels.empty()) job.metadata.mut().labels = labels;
}

void default_stateful_set(appsv1::StatefulSet& s) {
  auto& spec = s.spec.mut();
  set_if_empty(spec.pod_management_policy, "OrderedReady");
  if (spec.update_strategy.type.empty()) {
    spec.update_strategy.type = "RollingUpdate";
    spec.update_strategy.rolling_update.mut();
  }
  if (spec.update_strategy.type == "RollingUpdate" && spec.update_strategy.rolling_update)
    set_if_absent(spec.update_strategy.rolling_update.mut().partition, 0);
  auto& retention = spec.persistent_volume_claim_retention_policy.mut();
  set_if_empty(retention.when_deleted, "Retain");
  set_if_empty(retention.when_scaled, "Retain");
  set_if_absent(spec.replicas, 1);
  set_if_absent(spec.revision_history_limit, 10);
  default_template(spec.template_);
  for (size_t i = 0; i < spec.volume_claim_templates.size(); ++i) {
    auto& claim = spec.volume_claim_templates.mut(i);
    claim.kind = "PersistentVolumeClaim";
    claim.api_version = "v1";
    default_claim(claim);
  }
}

void default_daemon_set(appsv1::DaemonSet& d) {
  auto& spec = d.spec.mut();
  set_if_empty(spec.update_strategy.type, "RollingUpdate");
  if (spec.update_strategy.type == "RollingUpdate") {
    auto& rolling = spec.update_strategy.rolling_update.mut();
    set_if_absent(rolling.max_unavailable, api::IntOrString(1));
    set_if_absent(rolling.max_surge, api::IntOrString(0));
  }
  set_if_absent(spec.revision_history_limit, 10);
  default_template(spec.template_);
  // The internal form has it as a number, which shows, as 0, until the strategy counts.
  constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";
  if (!d.metadata->annotations.contains(kTemplateGeneration))
    d.metadata.mut().annotations.set(Str(kTemplateGeneration), "0");
}

}  // namespace

std::span<const DefaultRow> workload_defaults() {
  static constexpr DefaultRow kRows[] = {
      default_row<appsv1::Deployment, default_deployment>(),
      default_row<appsv1::ReplicaSet, default_replica_set>(),
      default_row<appsv1::StatefulSet, default_stateful_set>(),
      default_row<appsv1::DaemonSet, default_daemon_set>(),
      default_row<corev1::ReplicationController, default_replication_controller>(),
      default_row<batchv1::Job, default_job>(),
      default_row<batchv1::CronJob, default_cron_job>(),
  };
  return kRows;
}

}  // namespace orrery::server
