#pragma once

#include <functional>
#include <string_view>

#include "engine/api/object.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// An object that is being deleted and waits for this finalizer.
bool is_deletion_candidate(const metav1::ObjectMeta& meta, std::string_view finalizer);
/// It lives and lacks the finalizer.
bool lacks_finalizer(const metav1::ObjectMeta& meta, std::string_view finalizer);

/// One sync of what a finalizer protects: it is put on what lives without it, and taken off what is
/// being deleted once is_used() answers false; a question that fails is the outcome.
/// Source: Kubernetes v1.32 pkg/controller/volume/protectionutil.
Status protect(const api::Object& object, std::string_view finalizer,
               const std::function<Result<bool>()>& is_used, WriteLog& log);

}  // namespace orrery::control
