#include "engine/api/reflect.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "engine/base/cow.h"

namespace orrery::api {
namespace {

/// Calls `fn` with a null pointer of the C++ type of a non-struct value.
template <typename Fn>
auto with_type(FieldKind kind, Fn fn) {
  switch (kind) {
    case FieldKind::kBool: return fn(static_cast<bool*>(nullptr));
    case FieldKind::kInt32: return fn(static_cast<int32_t*>(nullptr));
    case FieldKind::kInt64: return fn(static_cast<int64_t*>(nullptr));
    case FieldKind::kFloat64: return fn(static_cast<double*>(nullptr));
    case FieldKind::kQuantity: return fn(static_cast<Quantity*>(nullptr));
    case FieldKind::kTime:
    case FieldKind::kMicroTime: return fn(static_cast<Timestamp*>(nullptr));
    case FieldKind::kDuration: return fn(static_cast<ApiDuration*>(nullptr));
    case FieldKind::kIntOrString: return fn(static_cast<IntOrString*>(nullptr));
    case FieldKind::kRawJson:
    case FieldKind::kFieldsV1: return fn(static_cast<RawJson*>(nullptr));
    case FieldKind::kStringList: return fn(static_cast<List<Str>*>(nullptr));
    case FieldKind::kBytes: return fn(static_cast<Bytes*>(nullptr));
    default: return fn(static_cast<Str*>(nullptr));
  }
}

CowBlock*& block_at(void* at) { return *static_cast<CowBlock**>(at); }
CowBlock* block_at(const void* at) { return *static_cast<CowBlock* const*>(at); }

}  // namespace

size_t value_size(const FieldDesc& field) {
  if (field.kind == FieldKind::kStruct) return field.type->size;
  return with_type(field.kind, [](auto* p) { return sizeof(*p); });
}

void construct_value(const FieldDesc& field, void* at) {
  if (field.kind == FieldKind::kStruct) return field.type->construct(at);
  with_type(field.kind, [at](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    new (at) T();
  });
}

void copy_value(const FieldDesc& field, void* at, const void* from) {
  if (field.kind == FieldKind::kStruct) return field.type->copy(at, from);
  with_type(field.kind, [at, from](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    new (at) T(*static_cast<const T*>(from));
  });
}

void destroy_value(const FieldDesc& field, void* at) {
  if (field.kind == FieldKind::kStruct) return field.type->destroy(at);
  with_type(field.kind, [at](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    static_cast<T*>(at)->~T();
  });
}

const void* struct_at(const FieldDesc& field, const void* object) {
  const void* at = field_at(field, object);
  if (field.form == Form::kValue || field.form == Form::kInline) return at;
  const CowBlock* block = block_at(at);
  if (block) return block + 1;
  return field.form == Form::kValueRef ? field.type->zero() : nullptr;
}

void* mut_struct_at(const FieldDesc& field, void* object) {
  void* at = field_at(field, object);
  if (field.form == Form::kValue || field.form == Form::kInline) return at;
  CowBlock*& block = block_at(at);
  if (block && block->unique()) return block->data();
  CowBlock* fresh = CowBlock::allocate(field.type->size, 1, 1);
  if (block) {
    field.type->copy(fresh->data(), block->data());
    if (block->release()) {
      field.type->destroy(block->data());
      std::free(block);
    }
  } else {
    field.type->construct(fresh->data());
  }
  block = fresh;
  return block->data();
}

bool opt_present(const FieldDesc& field, const void* object) {
  return *(static_cast<const bool*>(field_at(field, object)) + value_size(field));
}

void opt_set_present(const FieldDesc& field, void* object) {
  *(static_cast<bool*>(field_at(field, object)) + value_size(field)) = true;
}

bool list_is_nil(const void* list) { return block_at(list) == nullptr; }
size_t list_size(const void* list) { return block_at(list) ? block_at(list)->size : 0; }

size_t element_stride(const FieldDesc& field) {
  const size_t size = value_size(field);
  if (field.form != Form::kMap) return size;
  return (sizeof(Str) + size + 7) / 8 * 8;
}

const void* list_item(const FieldDesc& field, const void* list, size_t index) {
  return static_cast<const char*>(block_at(list)->data()) + index * element_stride(field);
}

namespace {

void copy_element(const FieldDesc& field, void* at, const void* from) {
  if (field.form != Form::kMap) return copy_value(field, at, from);
  new (at) Str(map_key(from));
  copy_value(field, static_cast<char*>(at) + sizeof(Str), map_value(from));
}

void destroy_element(const FieldDesc& field, void* at) {
  if (field.form == Form::kMap) {
    static_cast<Str*>(at)->~Str();
    at = static_cast<char*>(at) + sizeof(Str);
  }
  destroy_value(field, at);
}

void release_list(const FieldDesc& field, CowBlock* block) {
  if (!block || !block->release()) return;
  const size_t stride = element_stride(field);
  for (size_t i = 0; i < block->size; ++i)
    destroy_element(field, static_cast<char*>(block->data()) + i * stride);
  std::free(block);
}

// The list's block, ours alone and with room for one more element.
CowBlock* own_list(const FieldDesc& field, void* list) {
  CowBlock*& block = block_at(list);
  const size_t stride = element_stride(field);
  const uint32_t size = block ? block->size : 0;
  if (block && block->unique() && block->capacity > size) return block;
  const uint32_t capacity = size == 0 ? 1 : size * 2;
  CowBlock* fresh = CowBlock::allocate(capacity * stride, size, capacity);
  if (block && block->unique()) {
    // All value types are trivially relocatable: they hold plain data and block pointers.
    std::memcpy(fresh->data(), block->data(), size * stride);
    std::free(block);
  } else {
    for (size_t i = 0; i < size; ++i)
      copy_element(field, static_cast<char*>(fresh->data()) + i * stride,
                   static_cast<const char*>(block->data()) + i * stride);
    release_list(field, block);
  }
  block = fresh;
  return block;
}

}  // namespace

void* list_append(const FieldDesc& field, void* list) {
  CowBlock* block = own_list(field, list);
  char* at = static_cast<char*>(block->data()) + block->size * element_stride(field);
  if (field.form == Form::kMap) {
    new (at) Str();
    construct_value(field, at + sizeof(Str));
  } else {
    construct_value(field, at);
  }
  ++block->size;
  return at;
}

void* list_own(const FieldDesc& field, void* list) {
  CowBlock*& block = block_at(list);
  if (block->unique()) return block->data();
  const size_t stride = element_stride(field);
  CowBlock* fresh = CowBlock::allocate(block->size * stride, block->size, block->size);
  for (size_t i = 0; i < block->size; ++i)
    copy_element(field, static_cast<char*>(fresh->data()) + i * stride,
                 static_cast<const char*>(block->data()) + i * stride);
  release_list(field, block);
  block = fresh;
  return block->data();
}

const CowBlock* field_block(const FieldDesc& field, const void* object) { return block_at(field_at(field, object)); }

void release_block(const FieldDesc& field, CowBlock* block) {
  if (field.form == Form::kList || field.form == Form::kMap) return release_list(field, block);
  if (!block || !block->release()) return;
  field.type->destroy(block->data());
  std::free(block);
}

void replace_block(const FieldDesc& field, void* object, CowBlock* fresh) {
  release_block(field, std::exchange(block_at(field_at(field, object)), fresh));
}

void list_make_empty(const FieldDesc& field, void* list) {
  release_list(field, block_at(list));
  block_at(list) = CowBlock::allocate(0, 0, 0);
}

void* map_insert(const FieldDesc& field, void* map, const Str& key, bool* existed) {
  const size_t stride = element_stride(field);
  size_t low = 0, high = list_size(map);
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (map_key(list_item(field, map, middle)).view() < key.view()) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  *existed = low < list_size(map) && map_key(list_item(field, map, low)) == key;
  CowBlock* block = own_list(field, map);
  char* at = static_cast<char*>(block->data()) + low * stride;
  if (!*existed) {
    std::memmove(at + stride, at, (block->size - low) * stride);
    new (at) Str(key);
    construct_value(field, at + sizeof(Str));
    ++block->size;
  }
  return at + sizeof(Str);
}

void assign_field(const FieldDesc& field, void* object, const void* from) {
  void* to = field_at(field, object);
  const void* source = field_at(field, from);
  const bool list = field.form == Form::kList || field.form == Form::kMap;
  const bool ref = field.kind == FieldKind::kStruct && (field.form == Form::kValueRef || field.form == Form::kPointer);
  if (!list && !ref) {
    destroy_value(field, to);
    copy_value(field, to, source);
    if (field.form == Form::kPointer)
      *(static_cast<bool*>(to) + value_size(field)) = opt_present(field, from);
    return;
  }
  CowBlock* fresh = block_at(const_cast<void*>(source));
  if (fresh) fresh->retain();
  CowBlock* old = std::exchange(block_at(to), fresh);
  release_block(field, old);
}

namespace {

bool is_empty_scalar(const FieldDesc& field, const void* at) {
  switch (field.kind) {
    case FieldKind::kBool: return !*static_cast<const bool*>(at);
    case FieldKind::kInt32: return *static_cast<const int32_t*>(at) == 0;
    case FieldKind::kInt64: return *static_cast<const int64_t*>(at) == 0;
    case FieldKind::kFloat64: return *static_cast<const double*>(at) == 0;
    case FieldKind::kString:
    case FieldKind::kBytes: return static_cast<const Str*>(at)->empty();
    // Structs in Go: never empty.
    default: return false;
  }
}

}  // namespace

bool is_empty_value(const FieldDesc& field, const void* object) {
  const void* at = field_at(field, object);
  switch (field.form) {
    case Form::kList:
    case Form::kMap: return list_size(at) == 0;
    case Form::kPointer:
      return field.kind == FieldKind::kStruct ? block_at(at) == nullptr : !opt_present(field, object);
    case Form::kValue: return field.kind != FieldKind::kStruct && is_empty_scalar(field, at);
    default: return false;
  }
}

const FieldDesc* find_field(const TypeDesc& type, std::string_view json, void** object, size_t* hint) {
  const size_t count = type.fields.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t index = *hint + i < count ? *hint + i : *hint + i - count;
    const FieldDesc& field = type.fields[index];
    if (field.json == json && field.form != Form::kInline) {
      *hint = index + 1 < count ? index + 1 : 0;
      return &field;
    }
  }
  for (const FieldDesc& field : type.fields) {
    if (field.form != Form::kInline) continue;
    void* inner = field_at(field, *object);
    size_t inner_hint = 0;
    if (const FieldDesc* found = find_field(*field.type, json, &inner, &inner_hint)) {
      *object = inner;
      return found;
    }
  }
  return nullptr;
}

const FieldDesc* find_field(const TypeDesc& type, std::string_view json) {
  for (const FieldDesc& field : type.fields) {
    if (field.form == Form::kInline) {
      if (const FieldDesc* found = find_field(*field.type, json)) return found;
    } else if (field.json == json) {
      return &field;
    }
  }
  return nullptr;
}

}  // namespace orrery::api
