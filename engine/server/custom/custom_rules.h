#pragma once

#include <string_view>

#include "engine/api/object.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// What creates and updates of custom resources clear, keep and count. Source: Kubernetes v1.32
/// apiextensions-apiserver pkg/registry/customresource/strategy.go.
void prepare_custom_create(api::Object& object);
void prepare_custom_update(api::Object& fresh, const api::Object& old, std::string_view subresource);

/// What is wrong with what an instance calls itself; "" is not looked at.
/// Source: apiextensions-apiserver customResourceValidator.ValidateTypeMeta.
FieldErrors check_custom_type(std::string_view api_version, std::string_view named, const api::KindDesc& kind);

/// Findings about an instance about to be created, or to replace `old`; texts for Warning headers about
/// what was wrong before.
FieldErrors validate_custom_create(const api::Object& object);
FieldErrors validate_custom_update(const api::Object& object, const api::Object& old, std::vector<std::string>& warnings);

}  // namespace orrery::server
