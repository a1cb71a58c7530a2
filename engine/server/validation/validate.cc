#include "engine/api/custom_object.h"
#include "engine/server/custom/custom_rules.h"
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

// True if nothing of what is checked has been written to since it was found valid.
bool is_same_meta(const metav1::ObjectMeta& a, const metav1::ObjectMeta& b) {
  return a.labels.same(b.labels) && a.annotations.same(b.annotations) && a.owner_references.same(b.owner_references) &&
         a.finalizers.same(b.finalizers) && a.managed_fields.same(b.managed_fields) && a.name == b.name &&
         a.namespace_ == b.namespace_ && a.generate_name == b.generate_name && a.generation == b.generation;
}

}  // namespace

FieldErrors validate_create(const api::Object& object, const api::KindDesc* sent) {
  Findings findings;
  const api::KindDesc& kind = *object.kind();
  if (api::is_custom(kind)) return validate_custom_create(object);
  const KindChecks* checks = checks_for(kind, sent);
  if (checks) checks->create(object, findings);
  if (findings.empty()) check_object_meta(object.meta(), kind.namespaced, name_is_path_segment, findings, false);
  return findings.take();
}

FieldErrors validate_update(const api::Object& object, const api::Object& old, std::string_view subresource,
                            const api::KindDesc* sent, std::vector<std::string>* warnings) {
  Findings findings;
  const api::KindDesc& kind = *object.kind();
  std::vector<std::string> untold;
  if (api::is_custom(kind)) return validate_custom_update(object, old, warnings ? *warnings : untold);
  if (!is_same_meta(object.meta(), old.meta()))
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
