#include "engine/api/custom_object.h"

#include <cstddef>
#include <new>

#include "engine/api/wide_integers.h"

namespace orrery::api {
namespace {

constexpr FieldDesc plain_field(std::string_view json, uint32_t offset, FieldKind kind, Form form, const TypeDesc* type) {
  return {json, offset, kind, form, false, false, type, 0, ListType::kNone, false, false, "", "", "", "", "", ""};
}

const std::span<const FieldDesc> custom_fields() {
  static const FieldDesc kFields[] = {
      plain_field("", 0, FieldKind::kStruct, Form::kInline, &metav1::TypeMeta::descriptor()),
      plain_field("metadata", offsetof(CustomObject, metadata), FieldKind::kStruct, Form::kValueRef,
                  &metav1::ObjectMeta::descriptor()),
      plain_field("", offsetof(CustomObject, rest), FieldKind::kRawJson, Form::kValue, nullptr),
  };
  return kFields;
}

}  // namespace

TypeDesc custom_type_desc(const KindDesc& kind) {
  TypeDesc type{};
  type.name = kind.kind;
  type.go_type = "unstructured.Unstructured";
  type.size = sizeof(CustomObject);
  type.fields = custom_fields();
  type.kind = &kind;
  type.metadata_offset = static_cast<int32_t>(offsetof(CustomObject, metadata));
  type.construct = [](void* at) { new (at) CustomObject(); };
  type.copy = [](void* at, const void* from) { new (at) CustomObject(*static_cast<const CustomObject*>(from)); };
  type.destroy = [](void* at) { static_cast<CustomObject*>(at)->~CustomObject(); };
  type.zero = []() -> const void* { return &Ref<CustomObject>::zero(); };
  return type;
}

bool is_custom(const KindDesc& kind) { return kind.id >= all_kinds().size(); }

const CustomObject& custom_of(const Object& object) {
  CHECK(object.kind() && is_custom(*object.kind())) << "not a custom object";
  return *static_cast<const CustomObject*>(object.data());
}

CustomObject& mut_custom_of(Object& object) {
  CHECK(object.kind() && is_custom(*object.kind())) << "not a custom object";
  return *static_cast<CustomObject*>(object.mut_data());
}

Object retyped(const Object& object, const TypeDesc& type) {
  if (object.type() == &type) return object;
  Object out = Object::make(type);
  mut_custom_of(out) = custom_of(object);
  return out;
}

Json custom_rest(const Object& object) {
  const Str& text = custom_of(object).rest.text;
  if (text.empty()) return Json::object();
  auto parsed = Json::parse(text);
  CHECK(parsed.is_ok()) << parsed.status().message();
  widen_integers(*parsed);
  return std::move(*parsed);
}

void set_custom_rest(Object& object, const Json& rest) {
  mut_custom_of(object).rest.text = rest.size() == 0 ? Str() : Str(rest.dump_sorted());
}

}  // namespace orrery::api
