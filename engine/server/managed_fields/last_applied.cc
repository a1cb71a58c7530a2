#include "engine/server/managed_fields/last_applied.h"

#include "engine/server/managed_fields/json_tree.h"

namespace orrery::server::managed {

using api::Json;

std::optional<const FieldSet*> fields_last_applied(const Json& live, const Versions& versions, FieldSetPool& pool) {
  const Json& text = live["metadata"]["annotations"][kLastApplied];
  if (!text.is_string() || text.as_string().empty()) return std::nullopt;
  const auto config = Json::parse(text.as_string());
  if (!config.is_ok() || (*config)["apiVersion"] != Json(versions.current)) return std::nullopt;
  if (!validate(versions.type, *config).is_ok()) return std::nullopt;
  const Comparison changes = compare_json(versions.type, *config, live, pool);
  const FieldSet* fields = field_set(versions.type, *config, pool);
  for (const FieldSet* changed : {changes.modified, changes.added, changes.removed}) fields = pool.subtract(fields, changed);
  return fields;
}

std::string last_applied_text(const Json& config) {
  Json bare = config;
  if (Json* meta = bare.find("metadata"))
    if (Json* annotations = meta->find("annotations")) annotations->erase(kLastApplied);
  return bare.dump_sorted() + "\n";
}

}  // namespace orrery::server::managed
