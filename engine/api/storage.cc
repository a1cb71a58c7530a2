#include "engine/api/storage.h"

#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"
#include "engine/api/custom_object.h"
#include "engine/api/reflect.h"

namespace orrery::api {

bool is_stored_as_json(const KindDesc& kind) {
  return is_custom(kind) || kind.group == "apiextensions.k8s.io" || kind.group == "apiregistration.k8s.io";
}

std::string encode_storage(const Object& object) {
  const KindDesc* kind = object.kind();
  CHECK(kind) << "only kinds are stored";
  Object stored = object;
  if (stored.has_meta()) {
    const metav1::ObjectMeta& meta = object.meta();
    if (!meta.resource_version.empty()) stored.mut_meta().resource_version = Str();
    if (!meta.self_link.empty()) stored.mut_meta().self_link = Str();
  }
  if (!is_stored_as_json(*kind)) return encode_proto(stored);
  auto* type_meta = static_cast<metav1::TypeMeta*>(stored.mut_data());
  type_meta->kind = Str(kind->kind);
  type_meta->api_version = Str(kind->api_version);
  return encode_json(stored) + "\n";
}

Result<Object> decode_storage(std::string_view bytes) {
  constexpr std::string_view kEncrypted = "k8s:enc:";
  if (bytes.starts_with('{')) return decode_json(bytes);
  if (bytes.starts_with(kEncrypted)) return bad_request("the value is encrypted");
  return decode_proto(bytes);
}

namespace {

bool is_empty_list(const FieldDesc& field, const void* object) {
  const bool is_list = field.form == Form::kList || field.form == Form::kMap;
  const void* at = field_at(field, object);
  return is_list && !list_is_nil(at) && list_size(at) == 0;
}

bool holds_structs(const FieldDesc& field) { return field.kind == FieldKind::kStruct && field.type != nullptr; }

bool has_empty_list(const TypeDesc& type, const void* object) {
  for (const FieldDesc& field : type.fields) {
    if (is_empty_list(field, object)) return true;
    if (!holds_structs(field) || field.form == Form::kMap) continue;
    const void* at = field_at(field, object);
    if (field.form != Form::kList) {
      const void* inner = struct_at(field, object);
      if (inner && has_empty_list(*field.type, inner)) return true;
      continue;
    }
    for (size_t i = 0; i < list_size(at); ++i)
      if (has_empty_list(*field.type, list_item(field, at, i))) return true;
  }
  return false;
}

}  // namespace

void drop_empty_lists(Object& object) {
  if (is_stored_as_json(*object.kind()) || !has_empty_list(*object.type(), object.data())) return;
  // Rare: the way through the store is the exact one.
  Object read = Object::make(*object.type());
  const Status status = decode_proto_message(encode_proto_message(*object.type(), object.data()), *object.type(), read.mut_data());
  CHECK(status.is_ok()) << status.message();
  *static_cast<metav1::TypeMeta*>(read.mut_data()) = *static_cast<const metav1::TypeMeta*>(object.data());
  object = std::move(read);
}

}  // namespace orrery::api
