#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/api/schema.h"

namespace orrery::api {

/// Walking structs by their descriptors: where a value lies, and how to make and end one. The
/// layouts are those of engine/base/cow.h.

/// Bytes of one value of a field (of one element, for lists and maps).
size_t value_size(const FieldDesc& field);
void construct_value(const FieldDesc& field, void* at);
void copy_value(const FieldDesc& field, void* at, const void* from);
void destroy_value(const FieldDesc& field, void* at);

inline const void* field_at(const FieldDesc& field, const void* object) {
  return static_cast<const char*>(object) + field.offset;
}
inline void* field_at(const FieldDesc& field, void* object) {
  return static_cast<char*>(object) + field.offset;
}

/// Struct-valued fields (kValue, kValueRef, kPointer, kInline): the struct to read, nullptr if a
/// pointer is absent (an absent kValueRef reads as the shared zero struct).
const void* struct_at(const FieldDesc& field, const void* object);
/// The struct to write: made if absent, cloned if shared.
void* mut_struct_at(const FieldDesc& field, void* object);

/// Scalar pointers (Opt<T>): whether one is set, and its value.
bool opt_present(const FieldDesc& field, const void* object);
void opt_set_present(const FieldDesc& field, void* object);

/// object.field = from.field, sharing what can be shared.
void assign_field(const FieldDesc& field, void* object, const void* from);

/// Fields that are a block of their own (lists, maps, structs by Ref): the block or nullptr; another in
/// its place, with one reference that goes over; the end of one reference.
const CowBlock* field_block(const FieldDesc& field, const void* object);
void replace_block(const FieldDesc& field, void* object, CowBlock* fresh);
void release_block(const FieldDesc& field, CowBlock* block);
inline bool has_block(const FieldDesc& field) {
  return field.form == Form::kList || field.form == Form::kMap || field.form == Form::kValueRef ||
         (field.form == Form::kPointer && field.kind == FieldKind::kStruct);
}

/// Lists and maps. Entries of a map lie as {Str key, value}.
bool list_is_nil(const void* list);
size_t list_size(const void* list);
const void* list_item(const FieldDesc& field, const void* list, size_t index);
/// A new zero element at the end; the list becomes ours alone.
void* list_append(const FieldDesc& field, void* list);
/// The list for writing: cloned if shared. Items lie `element_stride` apart from the result on.
void* list_own(const FieldDesc& field, void* list);
/// Not nil any more, but empty.
void list_make_empty(const FieldDesc& field, void* list);
size_t element_stride(const FieldDesc& field);
inline const Str& map_key(const void* entry) { return *static_cast<const Str*>(entry); }
inline const void* map_value(const void* entry) { return static_cast<const char*>(entry) + sizeof(Str); }
/// The value under `key` for writing, in its sorted place; `existed` tells whether it was there.
void* map_insert(const FieldDesc& field, void* map, const Str& key, bool* existed);

/// True if the field is absent or has its zero value as JSON's omitempty sees it: false, 0, "", a
/// nil pointer, an empty list or map. A struct by value is never empty.
bool is_empty_value(const FieldDesc& field, const void* object);

/// The field with this JSON name, looking into inline fields too; adds the inline offsets to
/// *object. nullptr if there is none. `hint` speeds up reading fields in schema order.
const FieldDesc* find_field(const TypeDesc& type, std::string_view json, void** object, size_t* hint);
const FieldDesc* find_field(const TypeDesc& type, std::string_view json);

}  // namespace orrery::api
