#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "engine/api/object.h"

namespace orrery::api {

/// Annotations that make a class the default of its kind.
inline constexpr std::array<std::string_view, 2> kDefaultStorageClass = {
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class"};
inline constexpr std::array<std::string_view, 1> kDefaultIngressClass = {
    "ingressclass.kubernetes.io/is-default-class"};

/// Of the objects with one of the annotations set to "true" the newest, by name among equally old
/// ones; null if there is none. Source: Kubernetes v1.32 pkg/volume/util/storageclass.go and
/// pkg/apis/networking/util/helpers.go.
Object newest_default(const std::vector<Object>& objects,
                      std::span<const std::string_view> annotations);

}  // namespace orrery::api
