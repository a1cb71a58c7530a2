#pragma once

#include <string_view>

#include "engine/api/gen/metav1.h"
#include "engine/api/json_value.h"
#include "engine/api/object.h"

namespace orrery::api {

/// An object of a custom resource: its metadata as for all kinds, its other members as JSON text with
/// sorted members ("" if there are none). The kinds are made at run time; each has a TypeDesc of its
/// own over this struct (custom_type_desc).
struct CustomObject : metav1::TypeMeta {
  Ref<metav1::ObjectMeta> metadata;
  RawJson rest;
};

/// The descriptor of the objects of one custom kind; `kind` outlives it. Its last field has no name:
/// it takes all members that no other field names. There is no protobuf form.
TypeDesc custom_type_desc(const KindDesc& kind);

/// True for kinds that are not part of the schema: their ids follow those of all_kinds().
bool is_custom(const KindDesc& kind);

/// CHECK: the object is of a custom kind.
const CustomObject& custom_of(const Object& object);
CustomObject& mut_custom_of(Object& object);

/// The same content as an object of another custom kind; shares all parts.
Object retyped(const Object& object, const TypeDesc& type);

/// The field of a type that takes the members without a field; nullptr: none.
inline const FieldDesc* rest_field(const TypeDesc& type) {
  if (type.fields.empty()) return nullptr;
  const FieldDesc& last = type.fields.back();
  return last.json.empty() && last.form == Form::kValue ? &last : nullptr;
}

/// The members beside apiVersion, kind and metadata as a tree, and back.
Json custom_rest(const Object& object);
void set_custom_rest(Object& object, const Json& rest);

}  // namespace orrery::api
