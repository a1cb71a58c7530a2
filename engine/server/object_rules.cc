#include "engine/server/object_rules.h"

#include <algorithm>
#include <vector>

#include "engine/api/custom_object.h"
#include "engine/api/names.h"
#include "engine/api/reflect.h"
#include "engine/api/semantic.h"
#include "engine/server/custom/custom_rules.h"
#include "engine/server/strategy/strategies.h"

namespace orrery::server {
namespace {

// What a status update leaves alone besides the spec.
enum class StatusKeeps : uint8_t { kSpec, kLabels, kMeta };

struct Row {
  std::string_view group, kind;
  std::string_view counted = {};  // metadata.generation counts this field's changes
  bool keeps_status_on_create = false;
  StatusKeeps status_keeps = StatusKeeps::kSpec;
};
// The kinds that differ from the common rules. Those whose `counted` is "-" begin with generation 1
// and count as their own strategy says.
constexpr Row kRows[] = {
    {"", "Node", {}, true},
    {"", "Pod", {}, true},
    {"", "PodTemplate", "template"},
    {"", "ReplicationController", "spec"},
    {"apps", "DaemonSet", "spec"},
    {"apps", "Deployment", "spec", false, StatusKeeps::kLabels},
    {"apps", "ReplicaSet", "spec"},
    {"apps", "StatefulSet", "spec"},
    {"batch", "CronJob", "spec"},
    {"batch", "Job", "spec"},
    {"networking.k8s.io", "Ingress", "spec"},
    {"networking.k8s.io", "IngressClass", "spec"},
    {"networking.k8s.io", "NetworkPolicy", "-"},
    {"discovery.k8s.io", "EndpointSlice", "-"},
    {"policy", "PodDisruptionBudget", "spec"},
    {"scheduling.k8s.io", "PriorityClass", "-"},
    {"storage.k8s.io", "VolumeAttachment", {}, false, StatusKeeps::kMeta},
    {"apiextensions.k8s.io", "CustomResourceDefinition", "spec", false, StatusKeeps::kMeta},
    {"apiregistration.k8s.io", "APIService", {}, false, StatusKeeps::kMeta},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", "spec", false, StatusKeeps::kMeta},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "spec", false, StatusKeeps::kMeta},
    {"resource.k8s.io", "ResourceSlice", "spec"},
    {"resource.k8s.io", "ResourceClaim", {}, false, StatusKeeps::kMeta},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", "-"},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "-"},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "spec", false, StatusKeeps::kMeta},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "spec"},
};

struct Rules {
  const api::FieldDesc* spec = nullptr;
  const api::FieldDesc* status = nullptr;   // of kinds that have the subresource
  const void* no_status = nullptr;          // what an absent status reads as
  const api::FieldDesc* counted = nullptr;  // by metadata.generation
  bool has_generation = false;
  bool keeps_status_on_create = false;
  StatusKeeps status_keeps = StatusKeeps::kSpec;
  Strategy strategy;
};

Rules rules_for(const api::KindDesc& kind) {
  Rules rules;
  const std::string padded = str_cat(" ", kind.subresources, " ");
  rules.spec = api::find_field(*kind.type, "spec");
  if (padded.find(" status ") != std::string::npos) rules.status = api::find_field(*kind.type, "status");
  if (rules.status) rules.no_status = api::struct_at(*rules.status, api::Object::make(*kind.type).data());
  for (const Row& row : kRows) {
    if (row.kind != kind.kind || row.group != kind.group) continue;
    rules.has_generation = !row.counted.empty();
    rules.counted = rules.has_generation ? api::find_field(*kind.type, row.counted) : nullptr;
    rules.keeps_status_on_create = row.keeps_status_on_create;
    rules.status_keeps = row.status_keeps;
  }
  for (const auto table : {pod_strategies(), workload_strategies(), cluster_strategies(), storage_strategies()})
    for (const StrategyRow& row : table)
      if (row.type().kind == &kind) rules.strategy = row.strategy;
  return rules;
}

const Rules& rules_of(const api::KindDesc& kind) {
  static const std::vector<Rules> kIndex = [] {
    std::vector<Rules> index(api::all_kinds().size());
    for (const api::KindDesc* each : api::all_kinds()) index[each->id] = rules_for(*each);
    return index;
  }();
  return kIndex[kind.id];
}

void take_field(api::Object& to, const api::Object& from, const api::FieldDesc* field) {
  if (field) api::assign_field(*field, to.mut_data(), from.data());
}

bool field_equal(const api::Object& a, const api::Object& b, const api::FieldDesc& field) {
  const void* x = api::struct_at(field, a.data());
  const void* y = api::struct_at(field, b.data());
  return x && y ? x == y || api::semantic_equal(*field.type, x, y) : x == y;
}

void keep_meta(metav1::ObjectMeta& meta, const metav1::ObjectMeta& before) {
  meta.deletion_timestamp = before.deletion_timestamp;
  meta.labels = before.labels;
  meta.annotations = before.annotations;
  meta.finalizers = before.finalizers;
  meta.owner_references = before.owner_references;
}

// What an update may not take back.
void keep_identity(metav1::ObjectMeta& meta, const metav1::ObjectMeta& before) {
  if (meta.uid.empty()) meta.uid = before.uid;
  meta.creation_timestamp = before.creation_timestamp;
  if (before.deletion_timestamp) meta.deletion_timestamp = before.deletion_timestamp;
  if (before.deletion_grace_period_seconds && !meta.deletion_grace_period_seconds)
    meta.deletion_grace_period_seconds = before.deletion_grace_period_seconds;
}

}  // namespace

// Source: Kubernetes v1.32 apiserver/pkg/endpoints/handlers/create.go, dedupOwnerReferences.
std::vector<std::string> drop_repeated_owners(api::Object& object) {
  const auto& owners = object.meta().owner_references;
  decltype(object.mut_meta().owner_references) kept;
  std::vector<std::string> repeated;
  for (const metav1::OwnerReference& owner : owners) {
    const bool again = std::any_of(kept.begin(), kept.end(), [&](const metav1::OwnerReference& other) {
      return api::semantic_equal(metav1::OwnerReference::descriptor(), &owner, &other);
    });
    if (again) {
      repeated.push_back(owner.uid.str());
    } else {
      kept.push_back(owner);
    }
  }
  if (repeated.empty()) return {};
  object.mut_meta().owner_references = std::move(kept);
  return {str_cat(".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject "
                  "such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ", api::join(repeated, ", "))};
}

void prepare_for_create(api::Object& object) {
  if (api::is_custom(*object.kind())) return prepare_custom_create(object);
  const Rules& rules = rules_of(*object.kind());
  if (rules.status && !rules.keeps_status_on_create && api::struct_at(*rules.status, object.data()) != rules.no_status)
    take_field(object, api::Object::make(*object.type()), rules.status);
  auto& meta = object.mut_meta();
  if (rules.has_generation) meta.generation = 1;
  if (rules.strategy.create) rules.strategy.create(object);
}

void prepare_for_update(api::Object& fresh, const api::Object& old, std::string_view subresource, Time now) {
  const auto& before = old.meta();
  if (api::is_custom(*fresh.kind())) {
    prepare_custom_update(fresh, old, subresource);
    return keep_identity(fresh.mut_meta(), before);
  }
  const Rules& rules = rules_of(*fresh.kind());
  fresh.mut_meta().generation = before.generation;
  const bool of_status = subresource == "status";
  if (of_status) {
    take_field(fresh, old, rules.spec);
    if (rules.status_keeps == StatusKeeps::kLabels) fresh.mut_meta().labels = before.labels;
    if (rules.status_keeps == StatusKeeps::kMeta) keep_meta(fresh.mut_meta(), before);
  } else if (subresource != "approval") {
    take_field(fresh, old, rules.status);
  }
  if (rules.strategy.update) rules.strategy.update(fresh, old, {subresource, now});
  if (!of_status && rules.counted && !field_equal(fresh, old, *rules.counted)) fresh.mut_meta().generation = before.generation + 1;
  keep_identity(fresh.mut_meta(), before);
}

}  // namespace orrery::server
