#pragma once

#include "engine/ports/api.h"
#include "engine/server/errors.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// What is wrong with the query of a list or watch (metav1.ListOptions).
/// Source: Kubernetes v1.32 apimachinery/pkg/apis/meta/internalversion/validation.
FieldErrors check_list_options(const Query& query, bool watch);

/// Findings about a meta.k8s.io options type, which has no name.
ApiResponse invalid_options(std::string_view type, const FieldErrors& errors);

}  // namespace orrery::server
