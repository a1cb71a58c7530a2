#include "engine/server/managed_fields/merge_schema.h"

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/metav1.h"
#include "engine/api/reflect.h"

namespace orrery::server::managed {
namespace {

using api::FieldDesc;
using api::FieldKind;
using api::Form;
using api::Json;
using api::ListType;
using api::TypeDesc;

// The types with structType=atomic that are elements of lists merged by key.
bool atomic_element(const TypeDesc& type) {
  return &type == &api::type_desc<metav1::OwnerReference>() || &type == &api::type_desc<corev1::ObjectReference>() ||
         &type == &api::type_desc<corev1::LocalObjectReference>() ||
         &type == &api::type_desc<admissionregistrationv1::Variable>();
}

CustomType::Scalar scalar_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::kBool: return CustomType::Scalar::kBool;
    case FieldKind::kInt32:
    case FieldKind::kInt64:
    case FieldKind::kFloat64: return CustomType::Scalar::kNumber;
    case FieldKind::kString:
    case FieldKind::kDuration:
    case FieldKind::kBytes: return CustomType::Scalar::kString;
    default: return CustomType::Scalar::kAny;
  }
}

}  // namespace

MergeType MergeType::of_field(const FieldDesc& field) {
  MergeType type;
  type.place_ = Place::kField;
  type.field_ = &field;
  return type;
}

MergeType MergeType::of_element(const FieldDesc& field) {
  MergeType type;
  type.place_ = Place::kElement;
  type.field_ = &field;
  return type;
}

const TypeDesc* MergeType::struct_type() const {
  switch (place_) {
    case Place::kStruct: return type_;
    case Place::kField:
      return field_->kind == FieldKind::kStruct && field_->form != Form::kList && field_->form != Form::kMap ? field_->type : nullptr;
    case Place::kElement: return field_->kind == FieldKind::kStruct ? field_->type : nullptr;
    case Place::kCustom: return custom_->builtin;
    default: return nullptr;
  }
}

MergeType::Shape MergeType::shape() const {
  if (const TypeDesc* type = struct_type()) return type->is_union ? Shape::kAtomicAny : Shape::kObject;
  switch (place_) {
    case Place::kUnknown: return Shape::kUnknown;
    case Place::kAny: return Shape::kAny;
    case Place::kAtomicAny: return Shape::kAtomicAny;
    case Place::kStringListElement: return Shape::kScalar;
    case Place::kCustom:
      switch (custom_->kind) {
        case CustomType::Kind::kAny: return Shape::kAny;
        case CustomType::Kind::kScalar: return Shape::kScalar;
        case CustomType::Kind::kObject: return Shape::kObject;
        default: return Shape::kList;
      }
    case Place::kField:
      if (field_->form == Form::kList) return Shape::kList;
      if (field_->form == Form::kMap) return Shape::kObject;
      break;
    default: break;
  }
  if (field_->kind == FieldKind::kRawJson || field_->kind == FieldKind::kFieldsV1) return Shape::kAtomicAny;
  return field_->kind == FieldKind::kStringList ? Shape::kList : Shape::kScalar;
}

bool MergeType::atomic() const {
  switch (place_) {
    case Place::kField:
      if (field_->form != Form::kList) return field_->atomic_map;
      return field_->list_type == ListType::kNone || field_->list_type == ListType::kAtomic;
    case Place::kElement:
      return field_->kind == FieldKind::kStringList || (field_->kind == FieldKind::kStruct && atomic_element(*field_->type));
    case Place::kCustom:
      return custom_->atomic || (custom_->kind == CustomType::Kind::kList && custom_->list_type == ListType::kAtomic);
    case Place::kAtomicAny: return true;
    default: return false;
  }
}

std::string_view MergeType::list_keys() const {
  if (place_ == Place::kCustom) return custom_->list_keys;
  return place_ == Place::kField ? field_->list_map_keys : std::string_view();
}

bool MergeType::has_field(std::string_view name) const {
  if (const TypeDesc* type = struct_type()) return api::find_field(*type, name) != nullptr;
  return place_ == Place::kCustom && custom_->fields.contains(name);
}

MergeType MergeType::member(std::string_view name) const {
  if (const TypeDesc* type = struct_type()) {
    const FieldDesc* field = api::find_field(*type, name);
    return field ? of_field(*field) : MergeType();
  }
  if (place_ == Place::kField && field_->form == Form::kMap) return of_element(*field_);
  if (place_ == Place::kAny || place_ == Place::kAtomicAny) return *this;
  MergeType any;
  if (place_ != Place::kCustom) {
    if (shape() == Shape::kAtomicAny) any.place_ = Place::kAtomicAny;
    return any;
  }
  if (const auto it = custom_->fields.find(name); it != custom_->fields.end()) return MergeType(it->second);
  if (custom_->element) return MergeType(*custom_->element);
  if (custom_->kind == CustomType::Kind::kAny) any.place_ = Place::kAny;
  return any;
}

MergeType MergeType::element() const {
  if (place_ == Place::kField && field_->form == Form::kList) return of_element(*field_);
  MergeType type;
  if (place_ == Place::kElement && field_->kind == FieldKind::kStringList) {
    type.place_ = Place::kStringListElement;
  } else if (place_ == Place::kCustom && custom_->element) {
    type = MergeType(*custom_->element);
  } else {
    type.place_ = Place::kAtomicAny;
  }
  return type;
}

Json MergeType::field_default(std::string_view name) const {
  if (const TypeDesc* type = struct_type()) {
    const FieldDesc* field = api::find_field(*type, name);
    if (!field) return Json();
    if (!field->default_json.empty()) {
      auto parsed = Json::parse(field->default_json);
      return parsed.is_ok() ? *parsed : Json();
    }
    if (field->omit_empty || field->form != Form::kValue) return Json();
    if (field->kind == FieldKind::kString) return Json("");
    return scalar_of(field->kind) == CustomType::Scalar::kNumber ? Json(0) : Json();
  }
  if (place_ != Place::kCustom) return Json();
  const auto it = custom_->fields.find(name);
  return it == custom_->fields.end() ? Json() : it->second.default_value;
}

CustomType::Scalar MergeType::scalar() const {
  if (place_ == Place::kCustom) return custom_->scalar;
  if (place_ == Place::kStringListElement) return CustomType::Scalar::kString;
  return place_ == Place::kField || place_ == Place::kElement ? scalar_of(field_->kind) : CustomType::Scalar::kAny;
}

}  // namespace orrery::server::managed
