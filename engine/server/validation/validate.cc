#include "engine/server/object_rules.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {

namespace {

// An object may be checked by the rules of the version in which it was sent.
const KindChecks* checks_for(const api::KindDesc& stored, const api::KindDesc* sent) {
  const KindChecks* checks = sent ? checks_of(*sent) : nullptr;
  return checks ? checks : checks_of(stored);
}

}  // namespace

FieldErrors validate_create(const api::Object& object, const api::KindDesc* sent) {
  Findings findings;
  const api::KindDesc& kind = *object.kind();
  const KindChecks* checks = checks_for(kind, sent);
  if (checks) checks->create(object, findings);
  if (findings.empty()) check_object_meta(object.meta(), kind.namespaced, name_is_path_segment, findings, false);
  return findings.take();
}

FieldErrors validate_update(const api::Object& object, const api::Object& old, std::string_view subresource,
                            const api::KindDesc* sent) {
  Findings findings;
  const api::KindDesc& kind = *object.kind();
  check_object_meta(object.meta(), kind.namespaced, name_is_path_segment, findings, false);
  check_object_meta_update(object.meta(), old.meta(), findings, false);
  const KindChecks* checks = checks_for(kind, sent);
  if (!checks) return findings.take();
  const auto check = subresource.empty() ? checks->update : subresource == "status" ? checks->status : checks->other;
  if (check) check(object, old, findings);
  else if (subresource != "status") checks->update(object, old, findings);
  return findings.take();
}

}  // namespace orrery::server
