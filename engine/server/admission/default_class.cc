#include "engine/server/admission/default_class.h"

namespace orrery::server {

api::Object newest_default(const std::vector<api::Object>& objects, const std::vector<std::string_view>& annotations) {
  api::Object best;
  for (const api::Object& object : objects) {
    bool is_default = false;
    for (const std::string_view annotation : annotations)
      is_default = is_default || object.meta().annotations.get(annotation) == "true";
    if (!is_default) continue;
    const bool newer = !best || object.meta().creation_timestamp > best.meta().creation_timestamp ||
                       (object.meta().creation_timestamp == best.meta().creation_timestamp && object.meta().name < best.meta().name);
    if (newer) best = object;
  }
  return best;
}

}  // namespace orrery::server
