#pragma once

#include <unordered_map>

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/metadata.h"

namespace orrery::server {

/// The volumes of a pod that are without findings, by name: what its containers may mount.
class PodVolumes {
 public:
  void add(const corev1::Volume& volume) { volumes_.push_back(&volume); }
  const corev1::Volume* find(std::string_view name) const;

 private:
  static constexpr size_t kFew = 16;
  std::vector<const corev1::Volume*> volumes_;
  mutable std::unordered_map<std::string_view, const corev1::Volume*> index_;
};

/// `meta`: of a pod; nullptr for templates.
PodVolumes check_pod_volumes(const List<corev1::Volume>& volumes, const metav1::ObjectMeta* meta, bool is_pod, const Path& at,
                             Findings& findings);

/// fieldRef and resourceFieldRef, in volumes and in the environment.
void check_field_ref(const corev1::ObjectFieldSelector& ref, std::span<const std::string_view> allowed, const Path& at, Findings& findings);
void check_resource_field_ref(const corev1::ResourceFieldSelector& ref, bool in_volume, const Path& at, Findings& findings);

}  // namespace orrery::server
