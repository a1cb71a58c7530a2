#pragma once

#include <vector>

#include "engine/api/gen/metav1.h"
#include "engine/base/str.h"

namespace orrery::control {

/// Bodies of the patches by which objects forget owners and owners lose finalizers. A strategic
/// patch names the object's uid, which must be the one that is stored; the JSON merge patches, for
/// kinds without strategic ones, are made from the newest state and name its version.
/// Kubernetes v1.32 pkg/controller/garbagecollector/patch.go.
using OwnerReferences = List<metav1::OwnerReference>;

Str forget_owners_patch(const Str& uid, const std::vector<Str>& owners);
Str forget_owners_merge_patch(const metav1::ObjectMeta& newest, const std::vector<Str>& owners);

/// None of the references blocks the deletion of its owner any more.
Str unblock_owners_patch(const Str& uid, const OwnerReferences& owners);
Str unblock_owners_merge_patch(const metav1::ObjectMeta& newest, const OwnerReferences& owners);

Str drop_finalizer_patch(const metav1::ObjectMeta& newest, std::string_view finalizer);

}  // namespace orrery::control
