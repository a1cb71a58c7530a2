#include "engine/control/replicaset/replica_status.h"

#include <algorithm>

#include "engine/api/pod_util.h"
#include "engine/api/semantic.h"

namespace orrery::control {
namespace {

constexpr std::string_view kReplicaFailure = "ReplicaFailure";

bool same_conditions(const List<appsv1::ReplicaSetCondition>& a,
                     const List<appsv1::ReplicaSetCondition>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return api::semantic_equal(x, y); });
}

}  // namespace

PodCounts count_pods(const appsv1::ReplicaSetSpec& spec, std::span<const api::Object> pods,
                     Time now) {
  const auto template_labels = api::Selector::of_labels(spec.template_->metadata->labels);
  PodCounts counts;
  for (const api::Object& object : pods) {
    const auto& pod = object.get<corev1::Pod>();
    ++counts.replicas;
    counts.fully_labeled += template_labels.matches(pod.metadata->labels);
    counts.ready += api::is_pod_ready(pod);
    counts.available += api::is_pod_available(pod, spec.min_ready_seconds, now);
  }
  return counts;
}

appsv1::ReplicaSetStatus replica_status(const appsv1::ReplicaSet& rs, const PodCounts& counts,
                                        const Status& managed, Time now) {
  appsv1::ReplicaSetStatus status = *rs.status;
  status.replicas = counts.replicas;
  status.fully_labeled_replicas = counts.fully_labeled;
  status.ready_replicas = counts.ready;
  status.available_replicas = counts.available;
  const auto is_failure = [](const auto& c) { return c.type == kReplicaFailure; };
  const bool had_failed =
      std::any_of(status.conditions.begin(), status.conditions.end(), is_failure);
  if (managed) {
    if (had_failed) status.conditions.erase_if(is_failure);
  } else if (!had_failed) {
    const int32_t wanted = rs.spec->replicas.value_or(0);
    appsv1::ReplicaSetCondition condition;
    condition.type = kReplicaFailure;
    condition.status = "True";
    condition.last_transition_time = api::Timestamp::whole_seconds(now);
    if (counts.replicas < wanted) condition.reason = "FailedCreate";
    if (counts.replicas > wanted) condition.reason = "FailedDelete";
    condition.message = managed.message();
    status.conditions.push_back(std::move(condition));
  }
  return status;
}

bool same_replica_status(const appsv1::ReplicaSet& rs, const appsv1::ReplicaSetStatus& fresh) {
  const auto& old = *rs.status;
  return old.replicas == fresh.replicas &&
         old.fully_labeled_replicas == fresh.fully_labeled_replicas &&
         old.ready_replicas == fresh.ready_replicas &&
         old.available_replicas == fresh.available_replicas &&
         rs.metadata->generation == old.observed_generation &&
         same_conditions(old.conditions, fresh.conditions);
}

}  // namespace orrery::control
