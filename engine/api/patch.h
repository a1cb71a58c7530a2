#pragma once

#include "engine/api/json_value.h"
#include "engine/api/schema.h"

namespace orrery {

/// The four kinds of patch of the Kubernetes API.
enum class PatchKind : uint8_t { kJson, kMerge, kStrategic, kApply };

namespace api {

/// RFC 6902 as the API server applies it: negative indexes count from the end; a failed operation
/// fails the whole patch. BadRequest: this is no patch; Invalid: it cannot be applied to `document`.
Result<Json> apply_json_patch(Json document, const Json& patch);

/// RFC 7386: null deletes. A patch that is a list replaces the document.
Result<Json> apply_merge_patch(const Json& document, const Json& patch);
/// The merge patch that makes `modified` of `original`.
Json make_merge_patch(const Json& original, const Json& modified);
/// What `kubectl apply` sends for custom resources: the changes from `current` to `modified`, and
/// the deletions from `original` (last applied) to `modified`. Conflict: metadata.name would change.
Result<Json> make_three_way_merge_patch(const Json& original, const Json& modified, const Json& current);

/// Kubernetes' strategic merge patch by the merge keys and strategies of `type`'s fields.
Result<Json> apply_strategic_patch(const TypeDesc& type, const Json& document, const Json& patch);
/// The strategic patch that makes `modified` of `original`.
Result<Json> make_strategic_patch(const TypeDesc& type, const Json& original, const Json& modified);
/// What `kubectl apply` sends. Conflict: apiVersion, kind or metadata.name would change, or, unless
/// `overwrite`, somebody else changed what the patch changes.
Result<Json> make_three_way_strategic_patch(const TypeDesc& type, const Json& original, const Json& modified, const Json& current,
                                            bool overwrite);

/// By kind. Server-side apply (kApply) is not a function of document and patch alone: BadRequest.
Result<Json> apply_patch(PatchKind kind, const TypeDesc& type, const Json& document, const Json& patch);

}  // namespace api
}  // namespace orrery
