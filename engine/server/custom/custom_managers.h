#pragma once

#include "engine/ports/api.h"
#include "engine/server/managed_fields/managed_fields.h"

namespace orrery::server {

/// Field management of custom resources: managed_fields.h over JSON trees, for typed objects. `kind` is
/// that of the request.
void track_custom_managers(const api::Object& live, api::Object& fresh, const api::KindDesc& kind,
                           const managed::FieldWrite& write);
/// `live` is null if there is no such object yet; both are of the version of the request.
ApiResponse apply_custom(const api::Object& live, const api::KindDesc& kind, const api::Json& config, bool force,
                         const managed::FieldWrite& write);

}  // namespace orrery::server
