#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/api/quantity.h"
#include "engine/api/scalars.h"
#include "engine/base/cow.h"

namespace orrery::api {

/// Descriptors of the Kubernetes v1.32 API types: constant tables made from engine/api/schema by
/// generate.py. Every codec, patch, comparison and hash is one algorithm over these tables; no
/// type is known to them by name.

struct TypeDesc;
struct KindDesc;

/// What one value of a field is.
enum class FieldKind : uint8_t {
  kString, kBool, kInt32, kInt64, kFloat64, kBytes,       // Str bool int32_t int64_t double Bytes
  kQuantity, kTime, kMicroTime, kDuration, kIntOrString,  // Quantity Timestamp Timestamp ApiDuration
  kRawJson,   // RawJson in kRawExtension's protobuf form {raw = 1}
  kFieldsV1,  // RawJson in FieldsV1's protobuf form {Raw = 1}
  kStringList,  // List<Str> as the value of a map
  kStruct,
};

/// How values sit in the struct (C++ type for element type E):
///  kValue E | kValueRef Ref<E>, never absent | kPointer Opt<E>, Ref<E> for structs
///  kList List<E> | kMap Map<E> | kInline a base class or member whose fields are the parent's
enum class Form : uint8_t { kValue, kValueRef, kPointer, kList, kMap, kInline };

enum class ListType : uint8_t { kNone, kAtomic, kSet, kMap };

struct FieldDesc {
  std::string_view json;      // "" if inline
  uint32_t offset;            // in the struct
  FieldKind kind;
  Form form;
  bool omit_empty;
  bool required;
  const TypeDesc* type;       // kStruct only
  uint16_t proto;             // field number; 0: no protobuf form
  ListType list_type;
  bool atomic_map;            // struct or map that is replaced as a whole by server-side apply
  bool pointer_elements;      // Go []*T: only the template dump cares
  std::string_view list_map_keys;   // separated by spaces
  std::string_view patch_strategy;  // "merge", "replace", "merge,retainKeys", ...
  std::string_view patch_merge_key;
  std::string_view default_json;    // schema default, "" if none
  std::string_view go_name;
  std::string_view go_type;
};

/// A struct type: its fields in JSON order, and its life-cycle functions.
struct TypeDesc {
  std::string_view name;     // "io.k8s.api.core.v1.Pod"
  std::string_view go_type;  // "v1.Pod"
  uint32_t size;
  std::span<const FieldDesc> fields;          // JSON order, inline fields as one entry
  std::span<const uint16_t> proto_order;      // indexes of fields with a number, ascending
  const KindDesc* kind;                       // non-null for types that are kinds
  int32_t metadata_offset;                    // of Ref<metav1::ObjectMeta>; -1: none
  bool is_union;                              // JSON is the value of one of the fields, see codec_json.h
  void (*construct)(void* at);
  void (*copy)(void* at, const void* from);
  void (*destroy)(void* at);
  const void* (*zero)();  // the shared struct that is all zero
};

/// A kind and, where the API serves one, its resource.
struct KindDesc {
  uint16_t id;               // dense, 0..all_kinds().size()-1
  std::string_view group;    // "" for core
  std::string_view version;
  std::string_view kind;
  std::string_view api_version;  // "apps/v1", "v1"
  const TypeDesc* type;
  std::string_view plural;   // "" if not served
  std::string_view singular;
  bool namespaced;
  std::string_view short_names;   // separated by spaces
  std::string_view categories;
  std::string_view verbs;
  std::string_view subresources;
  std::string_view storage_prefix;  // of its keys in the store, ends in '/'; "": not stored
};

/// All kinds, ordered by group, version, kind.
std::span<const KindDesc* const> all_kinds();
/// nullptr if unknown.
const KindDesc* find_kind(std::string_view api_version, std::string_view kind);
/// By served resource ("apps", "v1", "deployments"); nullptr if unknown.
const KindDesc* find_resource(std::string_view group, std::string_view version,
                              std::string_view plural);
/// By type name ("io.k8s.api.core.v1.PodSpec"); nullptr if unknown.
const TypeDesc* find_type(std::string_view name);

/// The descriptor of a generated struct.
template <typename T>
const TypeDesc& type_desc() {
  return T::descriptor();
}

}  // namespace orrery::api
