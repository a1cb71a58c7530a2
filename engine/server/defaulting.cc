#include "engine/server/defaulting.h"

#include <vector>

#include "engine/api/custom_object.h"
#include "engine/server/custom/custom_schema.h"
#include "engine/server/defaulting/defaults.h"
#include "engine/server/strategy/strategies.h"

namespace orrery::server {
namespace {

const Str kPreemptLower = Str::literal("PreemptLowerPriority");

using Apply = void (*)(api::Object&);

std::vector<Apply> index_by_kind() {
  std::vector<Apply> index(api::all_kinds().size(), nullptr);
  for (const auto table : {pod_defaults(), workload_defaults(), service_defaults(), storage_defaults(), cluster_defaults(),
                           autoscaling_defaults(), admission_defaults()})
    for (const DefaultRow& row : table) index[row.type().kind->id] = row.apply;
  return index;
}

}  // namespace

void apply_defaults(api::Object& object) {
  static const std::vector<Apply> kIndex = index_by_kind();
  if (!object.kind()) return;
  if (api::is_custom(*object.kind())) return default_custom(object);
  if (const Apply apply = kIndex[object.kind()->id]) apply(object);
}

List<corev1::Toleration> usual_tolerations() {
  List<corev1::Toleration> out;
  for (const std::string_view key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    corev1::Toleration toleration;
    toleration.key = Str(key);
    toleration.operator_ = "Exists";
    toleration.effect = "NoExecute";
    toleration.toleration_seconds = int64_t{300};
    out.push_back(std::move(toleration));
  }
  return out;
}

void admit_new_pod(corev1::Pod& pod, const List<corev1::Toleration>& usual) {
  auto& spec = pod.spec.mut();
  set_if_absent(spec.priority, 0);
  if (!spec.preemption_policy) spec.preemption_policy = kPreemptLower;
  if (spec.tolerations.empty()) {
    spec.tolerations = usual;
    return;
  }
  for (const corev1::Toleration& toleration : usual) {
    bool tolerated = false;
    for (const auto& t : spec.tolerations)
      tolerated = tolerated || ((t.key == toleration.key || t.key.empty()) && (t.effect == "NoExecute" || t.effect.empty()));
    if (!tolerated) spec.tolerations.push_back(toleration);
  }
}

void default_after_create(api::Object& object) {
  if (object.is<corev1::Namespace>()) add_namespace_finalizer(object.mut<corev1::Namespace>());
  if (object.is<batchv1::Job>()) generate_job_selector(object.mut<batchv1::Job>());
}

}  // namespace orrery::server
