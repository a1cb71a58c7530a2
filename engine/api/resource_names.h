#pragma once

#include <string_view>

namespace orrery::api {

/// A resource that Kubernetes itself defines: without a domain, or of kubernetes.io.
bool is_native_resource(std::string_view name);
/// A resource that a device plugin or an operator brings, such as "nvidia.com/gpu".
/// Source of both: Kubernetes v1.32 pkg/apis/core/v1/helper.
bool is_extended_resource(std::string_view name);

}  // namespace orrery::api
