#include "engine/api/schema.h"

#include <algorithm>

namespace orrery::api {

const KindDesc* find_kind(std::string_view api_version, std::string_view kind) {
  for (const KindDesc* k : all_kinds())
    if (k->kind == kind && k->api_version == api_version) return k;
  return nullptr;
}

const KindDesc* find_resource(std::string_view group, std::string_view version,
                              std::string_view plural) {
  if (plural.empty()) return nullptr;
  for (const KindDesc* k : all_kinds())
    if (k->plural == plural && k->group == group && k->version == version) return k;
  return nullptr;
}

}  // namespace orrery::api
