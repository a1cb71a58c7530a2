#pragma once

#include <optional>

#include "engine/api/gen/apiextensionsv1.h"
#include "engine/base/time.h"

namespace orrery::server {

/// What an API server does to a CustomResourceDefinition after it has been written: which names are
/// accepted, whether it is served, and its end. Source: Kubernetes v1.32 apiextensions-apiserver
/// pkg/controller/{status,establish,finalizer}.

/// The finalizer that holds a definition until its instances are gone.
inline constexpr std::string_view kCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

/// The definition with the status that it should have; nullopt: it has it. `others`: all definitions of
/// its group, itself included.
std::optional<apiextensionsv1::CustomResourceDefinition> with_settled_status(
    const apiextensionsv1::CustomResourceDefinition& definition,
    const std::vector<const apiextensionsv1::CustomResourceDefinition*>& others, Time now);

/// Marks a definition that a client deletes: time, finalizer, condition.
void begin_termination(apiextensionsv1::CustomResourceDefinition& definition, Time now);

/// True if it is being deleted and still holds the finalizer.
bool awaits_cleanup(const apiextensionsv1::CustomResourceDefinition& definition);
/// The condition while instances are deleted; false: it is there already.
bool mark_cleanup(apiextensionsv1::CustomResourceDefinition& definition, Time now);
/// Without the finalizer.
void end_cleanup(apiextensionsv1::CustomResourceDefinition& definition);

}  // namespace orrery::server
