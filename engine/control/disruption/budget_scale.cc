#include "engine/control/disruption/budget_scale.h"

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

/// The version does not matter; apps once was part of extensions.
bool names_kind(const metav1::OwnerReference& reference, std::string_view kind,
                std::string_view group) {
  if (reference.kind != kind) return false;
  const std::string_view version = reference.api_version.view();
  const size_t slash = version.find('/');
  const std::string_view named = slash == version.npos ? "" : version.substr(0, slash);
  return named == group || (group == "apps" && kind != "StatefulSet" && named == "extensions");
}

template <typename T>
const T* find(const metav1::OwnerReference& reference, const Str& ns,
              const WorkloadLookup& lookup) {
  const api::Object* object = lookup(kind_of<T>(), ns, reference.name);
  return object && object->meta().uid == reference.uid ? object->as<T>() : nullptr;
}

template <typename T>
std::optional<ControllerScale> scale_of(const T* workload) {
  if (!workload) return std::nullopt;
  return ControllerScale{workload->metadata->uid, workload->spec->replicas.value_or(0)};
}

std::optional<ControllerScale> scale_of_set(const metav1::OwnerReference& reference, const Str& ns,
                                            const WorkloadLookup& lookup) {
  const auto* set = find<appsv1::ReplicaSet>(reference, ns, lookup);
  const auto* owner = set ? api::controller_of(*set->metadata) : nullptr;
  if (!owner) return scale_of(set);
  if (names_kind(*owner, "Deployment", "apps"))
    return scale_of(find<appsv1::Deployment>(*owner, ns, lookup));
  return owner->kind == "Deployment" ? std::nullopt : scale_of(set);
}

}  // namespace

std::optional<ControllerScale> scale_of_controller(const metav1::OwnerReference& controller,
                                                   const Str& ns, const WorkloadLookup& lookup) {
  if (names_kind(controller, "ReplicationController", ""))
    return scale_of(find<corev1::ReplicationController>(controller, ns, lookup));
  if (names_kind(controller, "ReplicaSet", "apps")) return scale_of_set(controller, ns, lookup);
  if (names_kind(controller, "StatefulSet", "apps"))
    return scale_of(find<appsv1::StatefulSet>(controller, ns, lookup));
  return std::nullopt;
}

}  // namespace orrery::control
