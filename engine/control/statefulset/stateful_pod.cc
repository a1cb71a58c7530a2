#include "engine/control/statefulset/stateful_pod.h"

#include <algorithm>
#include <utility>

#include "engine/api/pod_util.h"
#include "engine/control/common/controller_revisions.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/statefulset/ordinals.h"

namespace orrery::control {
namespace {

constexpr std::string_view kPodNameLabel = "statefulset.kubernetes.io/pod-name";
constexpr std::string_view kPodIndexLabel = "apps.kubernetes.io/pod-index";

const appsv1::StatefulSetSpec& spec_of(const api::Object& set) {
  return *set.get<appsv1::StatefulSet>().spec;
}

Str pod_name(const api::Object& set, int64_t ordinal) {
  return str_cat(set.meta().name, '-', ordinal);
}

const corev1::Volume* find_volume(const corev1::Pod& pod, const Str& name) {
  const corev1::Volume* found = nullptr;
  for (const auto& volume : pod.spec->volumes)
    if (volume.name == name) found = &volume;
  return found;
}

}  // namespace

api::Object new_stateful_pod(const api::Object& set, int64_t ordinal, const Str& revision) {
  corev1::Pod pod = pod_from_template(*spec_of(set).template_, set);
  auto& meta = pod.metadata.mut();
  meta.name = pod_name(set, ordinal);
  fix_identity(set, pod);
  auto& spec = pod.spec.mut();
  spec.hostname = meta.name;
  spec.subdomain = spec_of(set).service_name;
  fix_storage(set, pod);
  pod.metadata.mut().labels.set(Str(kRevisionHashLabel), revision);
  return api::Object::of(std::move(pod));
}

bool identity_matches(const api::Object& set, const corev1::Pod& pod) {
  const auto& meta = *pod.metadata;
  const PodOrdinal parsed = parse_pod_name(meta.name);
  const Str* label = meta.labels.find(kPodNameLabel);
  return parsed.ordinal >= 0 && parsed.canonical && set.meta().name == parsed.parent &&
         meta.namespace_ == set.meta().namespace_ && label && *label == meta.name;
}

void fix_identity(const api::Object& set, corev1::Pod& pod) {
  auto& meta = pod.metadata.mut();
  const int64_t ordinal = ordinal_of(meta.name);
  meta.name = pod_name(set, ordinal);
  meta.namespace_ = set.meta().namespace_;
  meta.labels.set(Str(kPodNameLabel), meta.name);
  meta.labels.set(Str(kPodIndexLabel), str_cat(ordinal));
}

bool storage_matches(const api::Object& set, const corev1::Pod& pod) {
  const int64_t ordinal = ordinal_of(pod.metadata->name);
  if (ordinal < 0) return false;
  const auto& templates = spec_of(set).volume_claim_templates;
  return std::all_of(templates.begin(), templates.end(), [&](const auto& claim) {
    const corev1::Volume* volume = find_volume(pod, claim.metadata->name);
    return volume && volume->persistent_volume_claim &&
           volume->persistent_volume_claim->claim_name ==
               claim_name(claim.metadata->name, set.meta().name, ordinal);
  });
}

void fix_storage(const api::Object& set, corev1::Pod& pod) {
  const int64_t ordinal = ordinal_of(pod.metadata->name);
  const auto& templates = spec_of(set).volume_claim_templates;
  if (templates.empty()) return;
  List<corev1::Volume> volumes;
  for (const auto& claim : templates) {
    corev1::Volume volume;
    volume.name = claim.metadata->name;
    volume.persistent_volume_claim.mut().claim_name =
        claim_name(volume.name, set.meta().name, ordinal);
    volumes.push_back(std::move(volume));
  }
  for (const auto& volume : pod.spec->volumes) {
    const bool replaced = std::any_of(templates.begin(), templates.end(), [&](const auto& claim) {
      return claim.metadata->name == volume.name;
    });
    if (!replaced) volumes.push_back(volume);
  }
  pod.spec.mut().volumes = std::move(volumes);
}

std::vector<corev1::PersistentVolumeClaim> claims_of_pod(const api::Object& set,
                                                         std::string_view pod_name) {
  const int64_t ordinal = ordinal_of(pod_name);
  std::vector<corev1::PersistentVolumeClaim> claims;
  for (const auto& claim_template : spec_of(set).volume_claim_templates) {
    corev1::PersistentVolumeClaim claim = claim_template;
    auto& meta = claim.metadata.mut();
    meta.name = claim_name(meta.name, set.meta().name, ordinal);
    meta.namespace_ = set.meta().namespace_;
    for (const auto& label : spec_of(set).selector->match_labels)
      meta.labels.set(label.key, label.value);
    claims.push_back(std::move(claim));
  }
  return claims;
}

bool is_running_and_ready(const corev1::Pod& pod) {
  return pod.status->phase == "Running" && api::is_pod_ready(pod);
}

bool is_healthy(const corev1::Pod& pod) {
  return is_running_and_ready(pod) && !pod.metadata->deletion_timestamp;
}

std::string_view pod_revision(const corev1::Pod& pod) {
  const Str* revision = pod.metadata->labels.find(kRevisionHashLabel);
  return revision ? revision->view() : std::string_view();
}

}  // namespace orrery::control
