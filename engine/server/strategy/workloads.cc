#include "engine/api/gen/appsv1.h"
#include "engine/api/semantic.h"
#include "engine/server/strategy/strategies.h"

namespace orrery::server {
namespace {

constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

// Whoever writes the spec of a workload writes the template, whose fields may be off.
template <typename T>
void create_templated(T& object) {
  drop_disabled_fields(object.spec.mut().template_.mut().spec.mut(), nullptr);
}
template <typename T>
void update_templated(T& object, const T& old, const Update& update) {
  if (update.subresource == "status") return;
  drop_disabled_fields(object.spec.mut().template_.mut().spec.mut(), old.spec->template_->spec.get());
}

void update_deployment(appsv1::Deployment& d, const appsv1::Deployment& old, const Update& update) {
  if (update.subresource == "status") return;
  update_templated(d, old, update);
  // Annotations are copied to the replica sets.
  if (!(d.metadata->annotations == old.metadata->annotations)) d.metadata.mut().generation = old.metadata->generation + 1;
}

void create_controller(corev1::ReplicationController& rc) {
  if (rc.spec->template_) create_templated(rc);
}
void update_controller(corev1::ReplicationController& rc, const corev1::ReplicationController& old, const Update& update) {
  if (rc.spec->template_) update_templated(rc, old, update);
}

void create_stateful_set(appsv1::StatefulSet& set) {
  create_templated(set);
  if (set.spec->update_strategy.rolling_update) set.spec.mut().update_strategy.rolling_update.mut().max_unavailable.reset();
}
void update_stateful_set(appsv1::StatefulSet& set, const appsv1::StatefulSet& old, const Update& update) {
  if (update.subresource == "status") return;
  update_templated(set, old, update);
  if (set.spec->update_strategy.rolling_update && set.spec->update_strategy.rolling_update->max_unavailable)
    set.spec.mut().update_strategy.rolling_update.mut().max_unavailable.reset();
}

int64_t number(const Str& text) {
  int64_t value = 0;
  for (const char c : text.view()) {
    if (c < '0' || c > '9' || value > INT32_MAX) return 0;
    value = value * 10 + (c - '0');
  }
  return value;
}

void set_template_generation(appsv1::DaemonSet& set, int64_t generation) {
  set.metadata.mut().annotations.set(Str(kTemplateGeneration), Str(str_cat(generation)));
}

void create_daemon_set(appsv1::DaemonSet& set) {
  create_templated(set);
  set_template_generation(set, std::max<int64_t>(1, number(set.metadata->annotations.get(kTemplateGeneration))));
}

void update_daemon_set(appsv1::DaemonSet& set, const appsv1::DaemonSet& old, const Update& update) {
  const Str* generation = old.metadata->annotations.find(kTemplateGeneration);
  if (update.subresource == "status") {
    if (generation) set.metadata.mut().annotations.set(Str(kTemplateGeneration), *generation);
    return;
  }
  update_templated(set, old, update);
  const bool changed = !api::semantic_equal(*set.spec->template_, *old.spec->template_);
  if (generation || changed) set_template_generation(set, (generation ? number(*generation) : 0) + (changed ? 1 : 0));
}

void create_job(batchv1::Job& job) {
  generate_job_selector(job);
  create_templated(job);
}

void create_cron_job(batchv1::CronJob& cron) {
  drop_disabled_fields(cron.spec.mut().job_template.spec.mut().template_.mut().spec.mut(), nullptr);
}

void update_cron_job(batchv1::CronJob& cron, const batchv1::CronJob& old, const Update& update) {
  if (update.subresource == "status") return;
  drop_disabled_fields(cron.spec.mut().job_template.spec.mut().template_.mut().spec.mut(),
                       old.spec->job_template.spec->template_->spec.get());
}

void create_pod_template(corev1::PodTemplate& tmpl) { drop_disabled_fields(tmpl.template_.mut().spec.mut(), nullptr); }
void update_pod_template(corev1::PodTemplate& tmpl, const corev1::PodTemplate& old, const Update&) {
  drop_disabled_fields(tmpl.template_.mut().spec.mut(), old.template_->spec.get());
}

template <typename T>
constexpr StrategyRow templated() {
  return {&T::descriptor, {create_as<T, create_templated<T>>, update_as<T, update_templated<T>>}};
}

}  // namespace

void generate_job_selector(batchv1::Job& job) {
  if (job.spec->manual_selector.value_or(false)) return;
  auto& spec = job.spec.mut();
  auto& labels = spec.template_.mut().metadata.mut().labels;
  // Labels that the job has from its template by default are those of the template ever after.
  const bool shared = !labels.empty() && labels.same(job.metadata->labels);
  const auto set_if_absent = [](Map<Str>& map, const char* key, const Str& value) {
    if (!map.contains(key)) map.set(key, value);
  };
  for (const char* key : {"controller-uid", "batch.kubernetes.io/controller-uid"}) set_if_absent(labels, key, job.metadata->uid);
  for (const char* key : {"job-name", "batch.kubernetes.io/job-name"}) set_if_absent(labels, key, job.metadata->name);
  if (shared) job.metadata.mut().labels = labels;
  set_if_absent(spec.selector.mut().match_labels, "batch.kubernetes.io/controller-uid", job.metadata->uid);
}

std::span<const StrategyRow> workload_strategies() {
  static constexpr StrategyRow kRows[] = {
      {&appsv1::Deployment::descriptor,
       {create_as<appsv1::Deployment, create_templated<appsv1::Deployment>>, update_as<appsv1::Deployment, update_deployment>}},
      templated<appsv1::ReplicaSet>(),
      {&appsv1::StatefulSet::descriptor,
       {create_as<appsv1::StatefulSet, create_stateful_set>, update_as<appsv1::StatefulSet, update_stateful_set>}},
      {&appsv1::DaemonSet::descriptor,
       {create_as<appsv1::DaemonSet, create_daemon_set>, update_as<appsv1::DaemonSet, update_daemon_set>}},
      {&corev1::ReplicationController::descriptor,
       {create_as<corev1::ReplicationController, create_controller>, update_as<corev1::ReplicationController, update_controller>}},
      {&batchv1::Job::descriptor, {create_as<batchv1::Job, create_job>, update_as<batchv1::Job, update_templated<batchv1::Job>>}},
      {&batchv1::CronJob::descriptor, {create_as<batchv1::CronJob, create_cron_job>, update_as<batchv1::CronJob, update_cron_job>}},
      {&corev1::PodTemplate::descriptor,
       {create_as<corev1::PodTemplate, create_pod_template>, update_as<corev1::PodTemplate, update_pod_template>}},
  };
  return kRows;
}

}  // namespace orrery::server
