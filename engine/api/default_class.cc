#include "engine/api/default_class.h"

#include <algorithm>

namespace orrery::api {

Object newest_default(const std::vector<Object>& objects,
                      std::span<const std::string_view> annotations) {
  Object best;
  for (const Object& object : objects) {
    const auto& meta = object.meta();
    const bool is_default = std::any_of(
        annotations.begin(), annotations.end(),
        [&](std::string_view annotation) { return meta.annotations.get(annotation) == "true"; });
    if (!is_default) continue;
    const bool newer =
        !best || meta.creation_timestamp > best.meta().creation_timestamp ||
        (meta.creation_timestamp == best.meta().creation_timestamp && meta.name < best.meta().name);
    if (newer) best = object;
  }
  return best;
}

}  // namespace orrery::api
