#pragma once

#include <optional>
#include <string>

#include "engine/server/managed_fields/applying.h"

namespace orrery::server::managed {

/// The annotation of kubectl's client-side apply, which server-side apply by kubectl takes over and
/// keeps in step. Source: Kubernetes v1.32 apimachinery/pkg/util/managedfields/internal/lastapplied*.go.
inline constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/// The fields of the annotation's configuration that the live object still has unchanged; nullopt if
/// there is no annotation, or one that does not fit.
std::optional<const FieldSet*> fields_last_applied(const api::Json& live, const Versions& versions, FieldSetPool& pool);

/// The annotation for a configuration.
std::string last_applied_text(const api::Json& config);

}  // namespace orrery::server::managed
