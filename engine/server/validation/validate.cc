#include "engine/server/object_rules.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {

FieldErrors validate_create(const api::Object& object) {
  Findings findings;
  const api::KindDesc& kind = *object.kind();
  const KindChecks* checks = checks_of(kind);
  if (checks) checks->create(object, findings);
  if (findings.empty()) check_object_meta(object.meta(), kind.namespaced, name_is_path_segment, findings, false);
  return findings.take();
}

FieldErrors validate_update(const api::Object& object, const api::Object& old, std::string_view subresource) {
  Findings findings;
  const api::KindDesc& kind = *object.kind();
  check_object_meta(object.meta(), kind.namespaced, name_is_path_segment, findings, false);
  check_object_meta_update(object.meta(), old.meta(), findings, false);
  const KindChecks* checks = checks_of(kind);
  const auto check = !checks ? nullptr : subresource == "status" ? checks->status : checks->update;
  if (check) check(object, old, findings);
  return findings.take();
}

}  // namespace orrery::server
