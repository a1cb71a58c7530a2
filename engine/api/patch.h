#pragma once

#include "engine/api/json_value.h"
#include "engine/api/schema.h"

namespace orrery {

/// The four kinds of patch of the Kubernetes API.
enum class PatchKind : uint8_t { kJson, kMerge, kStrategic, kApply };

namespace api {

/// RFC 6902 as the API server applies it: negative indexes count from the end; a failed operation
/// fails the whole patch.
Result<Json> apply_json_patch(Json document, const Json& patch);

/// RFC 7386: null deletes.
Result<Json> apply_merge_patch(const Json& document, const Json& patch);

/// Kubernetes' strategic merge patch by the merge keys and strategies of `type`'s fields.
Result<Json> apply_strategic_patch(const TypeDesc& type, const Json& document, const Json& patch);

/// By kind. Server-side apply (kApply) is not a function of document and patch alone: BadRequest.
Result<Json> apply_patch(PatchKind kind, const TypeDesc& type, const Json& document, const Json& patch);

}  // namespace api
}  // namespace orrery
