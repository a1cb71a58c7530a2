#pragma once

#include "engine/api/object.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// What the life of an object depends on its kind for: one row for each kind that differs from the
/// common rules, found by kind. Source: Kubernetes v1.32 registry strategies.
struct ObjectRules {
  bool has_generation = false;     // metadata.generation counts changes of the spec
  bool keeps_status_on_create = false;
  bool status_keeps_labels = false;  // a status update leaves labels alone too
};
const ObjectRules& rules_of(const api::KindDesc& kind);

/// True if the kind has a status subresource.
bool has_status(const api::KindDesc& kind);

/// The new object of a create: status cleared or begun, by the kind's rules.
void prepare_for_create(api::Object& object);
/// The object of an update of `subresource` ("" or "status"): what such an update may not touch is
/// taken from `old`; metadata.generation rises if the spec has changed.
void prepare_for_update(api::Object& fresh, const api::Object& old, std::string_view subresource);

/// Findings about an object about to be created, or to replace `old`.
FieldErrors validate_create(const api::Object& object);
FieldErrors validate_update(const api::Object& object, const api::Object& old);

}  // namespace orrery::server
