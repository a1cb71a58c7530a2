#include "engine/server/scale.h"

#include "engine/api/custom_object.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/server/custom/custom_scale.h"
#include "engine/server/managed_fields/scale_fields.h"

namespace orrery::server {
namespace {

autoscalingv1::Scale scale_from(const metav1::ObjectMeta& meta, int32_t wanted, int32_t found, std::string selector) {
  autoscalingv1::Scale scale;
  auto& m = scale.metadata.mut();
  m.name = meta.name;
  m.namespace_ = meta.namespace_;
  m.uid = meta.uid;
  m.resource_version = meta.resource_version;
  m.creation_timestamp = meta.creation_timestamp;
  scale.spec.mut().replicas = wanted;
  scale.status.mut().replicas = found;
  scale.status.mut().selector = Str(selector);
  return scale;
}

template <typename T>
autoscalingv1::Scale scale_of_workload(const T& object) {
  const auto selector = api::Selector::of(object.spec->selector.get());
  return scale_from(*object.metadata, object.spec->replicas.value_or(1), object.status->replicas,
                    selector.is_ok() ? selector->to_string() : "");
}

}  // namespace

api::Object scale_of(const api::Object& object) {
  if (api::is_custom(*object.kind())) return api::Object::of(scale_of_custom(object));
  if (const auto* d = object.as<appsv1::Deployment>()) return api::Object::of(scale_of_workload(*d));
  if (const auto* r = object.as<appsv1::ReplicaSet>()) return api::Object::of(scale_of_workload(*r));
  if (const auto* s = object.as<appsv1::StatefulSet>()) return api::Object::of(scale_of_workload(*s));
  const auto& rc = object.get<corev1::ReplicationController>();
  return api::Object::of(scale_from(*rc.metadata, rc.spec->replicas.value_or(1), rc.status->replicas,
                                    api::Selector::of_labels(rc.spec->selector).to_string()));
}

void set_replicas(api::Object& object, int32_t replicas) {
  if (api::is_custom(*object.kind())) {
    set_custom_replicas(object, replicas);
  } else if (object.is<appsv1::Deployment>()) {
    object.mut<appsv1::Deployment>().spec.mut().replicas = replicas;
  } else if (object.is<appsv1::ReplicaSet>()) {
    object.mut<appsv1::ReplicaSet>().spec.mut().replicas = replicas;
  } else if (object.is<appsv1::StatefulSet>()) {
    object.mut<appsv1::StatefulSet>().spec.mut().replicas = replicas;
  } else {
    object.mut<corev1::ReplicationController>().spec.mut().replicas = replicas;
  }
}

namespace {

managed::ReplicasPath replicas_path(const api::KindDesc& kind) {
  if (api::is_custom(kind)) return custom_replicas_path(kind);
  return managed::builtin_replicas_path;
}

}  // namespace

api::Object managed_scale_of(const api::Object& object) {
  api::Object scale = scale_of(object);
  auto entries = managed::fields_of_scale(object.meta().managed_fields, replicas_path(*object.kind()));
  if (entries.is_ok()) scale.mut_meta().managed_fields = *std::move(entries);
  return scale;
}

void set_scale_managers(api::Object& object, const api::Object& scale, std::string_view api_version) {
  auto entries = managed::fields_with_scale(object.meta().managed_fields, scale.meta().managed_fields, api_version,
                                            replicas_path(*object.kind()));
  if (entries.is_ok()) object.mut_meta().managed_fields = *std::move(entries);
}

}  // namespace orrery::server
