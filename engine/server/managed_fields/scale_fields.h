#pragma once

#include <functional>
#include <string_view>

#include "engine/api/gen/metav1.h"
#include "engine/base/status.h"

namespace orrery::server::managed {

/// The managers of an object's scale subresource. A write through /scale is tracked on the Scale (kind
/// autoscaling/v1 Scale, subresource "scale") and carried over to the object:
///
///   scale.managedFields  = fields_of_scale(object.managedFields)
///   update_managed_fields(scale, new_scale, write) or apply(scale, Scale, config, ...)
///   object.managedFields = fields_with_scale(object.managedFields, new_scale.managedFields, "apps/v1")
///
/// Source: Kubernetes v1.32 apimachinery/pkg/util/managedfields/scalehandler.go.

/// Where an object of this API version keeps its replicas, "spec.replicas" for built-in kinds; "":
/// the version has no scale; nullptr: it is not served, its entries are dropped.
using ReplicasPath = std::function<const char*(std::string_view api_version)>;
/// For the kinds that come with Kubernetes: all versions.
const char* builtin_replicas_path(std::string_view api_version);

Result<List<metav1::ManagedFieldsEntry>> fields_of_scale(const List<metav1::ManagedFieldsEntry>& object,
                                                         const ReplicasPath& path = builtin_replicas_path);
/// `api_version` of the request. New entries have no time, as upstream's.
Result<List<metav1::ManagedFieldsEntry>> fields_with_scale(const List<metav1::ManagedFieldsEntry>& object,
                                                           const List<metav1::ManagedFieldsEntry>& scale,
                                                           std::string_view api_version,
                                                           const ReplicasPath& path = builtin_replicas_path);

}  // namespace orrery::server::managed
