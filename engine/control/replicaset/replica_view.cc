#include "engine/control/replicaset/replica_view.h"

#include <utility>

#include "engine/api/gen/corev1.h"

namespace orrery::control {
namespace {

/// The statuses of the two kinds have the same fields.
template <typename To, typename ToCondition, typename From>
To convert_status(const From& from) {
  To to;
  to.replicas = from.replicas;
  to.fully_labeled_replicas = from.fully_labeled_replicas;
  to.ready_replicas = from.ready_replicas;
  to.available_replicas = from.available_replicas;
  to.observed_generation = from.observed_generation;
  for (const auto& condition : from.conditions) {
    ToCondition copy;
    copy.type = condition.type;
    copy.status = condition.status;
    copy.last_transition_time = condition.last_transition_time;
    copy.reason = condition.reason;
    copy.message = condition.message;
    to.conditions.push_back(std::move(copy));
  }
  return to;
}

}  // namespace

api::Object as_replica_set(const api::Object& object) {
  const auto* rc = object.as<corev1::ReplicationController>();
  if (!rc) return object;
  appsv1::ReplicaSet rs;
  rs.metadata = rc->metadata;
  auto& spec = rs.spec.mut();
  spec.replicas = rc->spec->replicas;
  spec.min_ready_seconds = rc->spec->min_ready_seconds;
  spec.selector.mut().match_labels = rc->spec->selector;
  spec.template_ = rc->spec->template_;
  rs.status.mut() =
      convert_status<appsv1::ReplicaSetStatus, appsv1::ReplicaSetCondition>(*rc->status);
  return api::Object::of(std::move(rs));
}

api::Object with_replica_status(const api::Object& object, const appsv1::ReplicaSetStatus& status) {
  api::Object copy = object;
  if (copy.is<corev1::ReplicationController>()) {
    copy.mut<corev1::ReplicationController>().status.mut() =
        convert_status<corev1::ReplicationControllerStatus, corev1::ReplicationControllerCondition>(
            status);
  } else {
    copy.mut<appsv1::ReplicaSet>().status = Ref<appsv1::ReplicaSetStatus>::make(status);
  }
  return copy;
}

}  // namespace orrery::control
