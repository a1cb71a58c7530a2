#include "engine/api/patch.h"

namespace orrery::api {

Result<Json> apply_patch(PatchKind kind, const TypeDesc& type, const Json& document, const Json& patch) {
  switch (kind) {
    case PatchKind::kJson: return apply_json_patch(document, patch);
    case PatchKind::kMerge: return apply_merge_patch(document, patch);
    case PatchKind::kStrategic: return apply_strategic_patch(type, document, patch);
    default: return bad_request("server-side apply is not supported");
  }
}

}  // namespace orrery::api
