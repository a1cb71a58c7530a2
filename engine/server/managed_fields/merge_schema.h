#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/api/schema.h"

namespace orrery::server::managed {

/// What merging needs to know of a custom resource's schema. A tree made once for each version of a
/// CustomResourceDefinition, and kept while it is served.
struct CustomType {
  enum class Kind : uint8_t {
    kAny,     // whatever the value is: objects merge by member, lists are atomic
    kScalar,  // text says which, for messages
    kObject,
    kList,
  };
  enum class Scalar : uint8_t { kAny, kString, kNumber, kBool };
  Kind kind = Kind::kAny;
  Scalar scalar = Scalar::kAny;
  bool atomic = false;
  api::ListType list_type = api::ListType::kAtomic;
  std::string list_keys;                      // separated by spaces
  std::map<std::string, CustomType, std::less<>> fields;
  std::unique_ptr<CustomType> element;        // of lists, and of members that are no fields
  const api::TypeDesc* builtin = nullptr;     // kObject of a built-in type (metadata)
  api::Json default_value;                    // null: none
};

/// From a structural OpenAPI v3 schema of a CustomResourceDefinition (openAPIV3Schema). The root has
/// apiVersion, kind and metadata added. Source: Kubernetes v1.32 kube-openapi pkg/schemaconv.
CustomType custom_type(const api::Json& structural_schema);

/// The type at one place of an object: a described struct, a field of one, the elements of a list or
/// map, or a node of a CustomType. A value of 24 bytes; nothing is owned.
class MergeType {
 public:
  enum class Shape : uint8_t {
    kUnknown,  // no such field in the schema
    kScalar,
    kObject,   // struct or map
    kList,
    kAny,      // by the value: see CustomType::Kind::kAny
    kAtomicAny,  // by the value, and atomic: raw JSON in built-in types
  };
  MergeType() = default;
  explicit MergeType(const api::TypeDesc& type) : place_(Place::kStruct), type_(&type) {}
  explicit MergeType(const CustomType& type) : place_(Place::kCustom), custom_(&type) {}
  /// The whole value of a field, and one element of its list or map.
  static MergeType of_field(const api::FieldDesc& field);
  static MergeType of_element(const api::FieldDesc& field);

  /// The shape for a value; `value` decides for kAny only and may be null.
  Shape shape() const;
  /// kList and kObject: replaced as a whole.
  bool atomic() const;
  /// kList that is not atomic: names of its keys, "" for a set of scalars.
  std::string_view list_keys() const;
  /// kObject: whether `name` is a field of the schema, and the type of the member `name` (kUnknown if
  /// there can be no such member).
  bool has_field(std::string_view name) const;
  MergeType member(std::string_view name) const;
  /// kList: the type of its elements.
  MergeType element() const;
  /// kObject: the default of field `name`; null if it has none. A required text or number of a
  /// built-in type has its zero value.
  api::Json field_default(std::string_view name) const;
  /// kScalar: what messages call it.
  CustomType::Scalar scalar() const;

 private:
  enum class Place : uint8_t { kUnknown, kStruct, kField, kElement, kAny, kAtomicAny, kStringListElement, kCustom };
  const api::TypeDesc* struct_type() const;

  Place place_ = Place::kUnknown;
  const api::TypeDesc* type_ = nullptr;    // kStruct
  union {
    const api::FieldDesc* field_ = nullptr;  // kField, kElement
    const CustomType* custom_;               // kCustom
  };
};

}  // namespace orrery::server::managed
