#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/api/resource_names.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {

/// Names and amounts of resources. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go,
/// pkg/apis/core/helper.

bool is_hugepage_name(std::string_view name);
using api::is_extended_resource;
using api::is_native_resource;
bool is_standard_quota_name(std::string_view name);
/// False where request and limit must be equal.
inline bool is_overcommit_allowed(std::string_view name) { return is_native_resource(name) && !is_hugepage_name(name); }

/// Findings show a resource's name without quotes.
inline Shown shown_resource(std::string_view name) { return Shown::raw(std::string(name)); }

void check_resource_name(std::string_view name, const Path& at, Findings& findings);
void check_container_resource_name(std::string_view name, const Path& at, Findings& findings);
void check_quota_resource_name(std::string_view name, const Path& at, Findings& findings);
void check_quantity_non_negative(const api::Quantity& quantity, const Path& at, Findings& findings);
void check_quantity_positive(const api::Quantity& quantity, const Path& at, Findings& findings);
/// Not negative, and whole for resources that are counted.
void check_resource_quantity(std::string_view name, const api::Quantity& quantity, const Path& at, Findings& findings);

struct ResourceRules {
  bool any_hugepages = false;  // amounts of huge pages need not be whole pages (old objects may have them)
};
/// Requests and limits of a container. `claim_names`: of the pod's resource claims.
void check_resource_requirements(const corev1::ResourceRequirements& resources, const Seen& claim_names, ResourceRules rules,
                                 const Path& at, Findings& findings);

}  // namespace orrery::server
