#pragma once

#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/object.h"
#include "engine/server/errors.h"
#include "engine/server/managed_fields/scale_fields.h"

namespace orrery::server {

/// The scale subresource of custom resources: replicas and selector lie where the definition says.
autoscalingv1::Scale scale_of_custom(const api::Object& object);
/// The wanted replicas of a scale of what names none.
inline constexpr int32_t kNoReplicas = INT32_MIN;
/// Where the definition says that the object's wanted replicas lie: ".spec.replicas".
std::string_view custom_replicas_field(const api::Object& object);
void set_custom_replicas(api::Object& object, int32_t replicas);
/// Where each served version of the object's resource keeps its replicas.
managed::ReplicasPath custom_replicas_path(const api::KindDesc& kind);

/// Replicas that are no number, or negative. Source: Kubernetes v1.32 apiextensions-apiserver
/// pkg/registry/customresource/validator.go (ValidateScaleSpec, ValidateScaleStatus).
void check_custom_scale(const api::Object& object, FieldErrors& errors);

}  // namespace orrery::server
