#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/label_selector.h"
#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

int32_t replicas_of(const Opt<int32_t>& replicas) { return replicas.value_or(0); }

void print_replication_controller(const corev1::ReplicationController& rc, Row& row) {
  row.add(rc.metadata->name, replicas_of(rc.spec->replicas), rc.status->replicas, rc.status->ready_replicas,
          row.age(rc.metadata->creation_timestamp));
  add_containers(rc.spec->template_->spec->containers, row);
  row.add(format_labels(rc.spec->selector));
}

void print_replica_set(const appsv1::ReplicaSet& rs, Row& row) {
  row.add(rs.metadata->name, replicas_of(rs.spec->replicas), rs.status->replicas, rs.status->ready_replicas,
          row.age(rs.metadata->creation_timestamp));
  add_containers(rs.spec->template_->spec->containers, row);
  row.add(api::format_label_selector(rs.spec->selector.get()));
}

void print_deployment(const appsv1::Deployment& d, Row& row) {
  row.add(d.metadata->name, str_cat(d.status->ready_replicas, "/", replicas_of(d.spec->replicas)),
          d.status->updated_replicas, d.status->available_replicas, row.age(d.metadata->creation_timestamp));
  add_containers(d.spec->template_->spec->containers, row);
  const auto selector = api::Selector::of(d.spec->selector.get());
  row.add(selector.is_ok() ? selector->to_string() : "<invalid>");
}

void print_stateful_set(const appsv1::StatefulSet& ss, Row& row) {
  row.add(ss.metadata->name, str_cat(ss.status->ready_replicas, "/", replicas_of(ss.spec->replicas)),
          row.age(ss.metadata->creation_timestamp));
  add_containers(ss.spec->template_->spec->containers, row);
}

void print_daemon_set(const appsv1::DaemonSet& ds, Row& row) {
  const auto& status = *ds.status;
  row.add(ds.metadata->name, status.desired_number_scheduled, status.current_number_scheduled, status.number_ready,
          status.updated_number_scheduled, status.number_available, format_labels(ds.spec->template_->spec->node_selector),
          row.age(ds.metadata->creation_timestamp));
  add_containers(ds.spec->template_->spec->containers, row);
  row.add(api::format_label_selector(ds.spec->selector.get()));
}

std::string completions(const batchv1::Job& job) {
  if (job.spec->completions) return str_cat(job.status->succeeded, "/", *job.spec->completions);
  const int32_t parallelism = job.spec->parallelism.value_or(0);
  return parallelism > 1 ? str_cat(job.status->succeeded, "/1 of ", parallelism) : str_cat(job.status->succeeded, "/1");
}

std::string job_duration(const batchv1::Job& job, const Row& row) {
  if (!job.status->start_time) return "";
  const Time end = job.status->completion_time ? job.status->completion_time->time() : row.now();
  return human_duration(end - job.status->start_time->time());
}

std::string_view job_status(const batchv1::Job& job) {
  const auto has = [&](std::string_view type) {
    for (const auto& condition : job.status->conditions)
      if (condition.type == type) return condition.status == "True";
    return false;
  };
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (job.metadata->deletion_timestamp) return "Terminating";
  if (has("Suspended")) return "Suspended";
  return has("FailureTarget") ? "FailureTarget" : "Running";
}

void print_job(const batchv1::Job& job, Row& row) {
  row.add(job.metadata->name, job_status(job), completions(job), job_duration(job, row),
          row.age(job.metadata->creation_timestamp));
  add_containers(job.spec->template_->spec->containers, row);
  row.add(api::format_label_selector(job.spec->selector.get()));
}

void print_cron_job(const batchv1::CronJob& cron, Row& row) {
  const auto& spec = *cron.spec;
  const std::string_view suspend = !spec.suspend ? "<unset>" : *spec.suspend ? "True" : "False";
  row.add(cron.metadata->name, spec.schedule, spec.time_zone ? spec.time_zone->view() : "<none>", suspend,
          cron.status->active.size(), cron.status->last_schedule_time ? row.age(*cron.status->last_schedule_time) : "<none>",
          row.age(cron.metadata->creation_timestamp));
  const batchv1::JobSpec& job = *spec.job_template.spec;
  add_containers(job.template_->spec->containers, row);
  row.add(api::format_label_selector(job.selector.get()));
}

void print_controller_revision(const appsv1::ControllerRevision& revision, Row& row) {
  std::string owner = "<none>";
  if (const auto* ref = api::controller_of(*revision.metadata)) {
    const size_t slash = ref->api_version.view().find('/');
    const std::string_view group = slash == std::string_view::npos ? std::string_view() : ref->api_version.view().substr(0, slash);
    owner = group.empty() ? ref->kind.str() : str_cat(ref->kind, ".", group);
    for (char& c : owner) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    owner += "/" + ref->name.str();
  }
  row.add(revision.metadata->name, owner, revision.revision, row.age(revision.metadata->creation_timestamp));
}

void print_scale(const autoscalingv1::Scale& scale, Row& row) {
  row.add(scale.metadata->name, scale.spec->replicas, scale.status->replicas, row.age(scale.metadata->creation_timestamp));
}

}  // namespace

std::vector<Printer> workload_printers() {
  return {printer_of<corev1::ReplicationController, print_replication_controller>(),
          printer_of<appsv1::ReplicaSet, print_replica_set>(),
          printer_of<appsv1::Deployment, print_deployment>(),
          printer_of<appsv1::StatefulSet, print_stateful_set>(),
          printer_of<appsv1::DaemonSet, print_daemon_set>(),
          printer_of<batchv1::Job, print_job>(),
          printer_of<batchv1::CronJob, print_cron_job>(),
          printer_of<appsv1::ControllerRevision, print_controller_revision>(),
          printer_of<autoscalingv1::Scale, print_scale>()};
}

}  // namespace orrery::server
