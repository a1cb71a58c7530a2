#include "engine/api/semantic.h"

#include <cstring>

#include "engine/api/codec_json.h"
#include "engine/api/reflect.h"
#include "engine/base/hash.h"

namespace orrery::api {
namespace {

/// What counts as equal: see the header.
enum class Equality : uint8_t { kSemantic, kSentToStored };

bool equal_struct(const TypeDesc& type, const void* a, const void* b, Equality how);

bool equal_value(const FieldDesc& field, const void* a, const void* b, Equality how) {
  switch (field.kind) {
    case FieldKind::kStruct: return equal_struct(*field.type, a, b, how);
    case FieldKind::kBool: return *static_cast<const bool*>(a) == *static_cast<const bool*>(b);
    case FieldKind::kInt32: return *static_cast<const int32_t*>(a) == *static_cast<const int32_t*>(b);
    case FieldKind::kInt64: return *static_cast<const int64_t*>(a) == *static_cast<const int64_t*>(b);
    case FieldKind::kFloat64: return *static_cast<const double*>(a) == *static_cast<const double*>(b);
    case FieldKind::kQuantity: return *static_cast<const Quantity*>(a) == *static_cast<const Quantity*>(b);
    case FieldKind::kTime:
    case FieldKind::kMicroTime: return *static_cast<const Timestamp*>(a) == *static_cast<const Timestamp*>(b);
    case FieldKind::kDuration: return *static_cast<const ApiDuration*>(a) == *static_cast<const ApiDuration*>(b);
    case FieldKind::kIntOrString: return *static_cast<const IntOrString*>(a) == *static_cast<const IntOrString*>(b);
    case FieldKind::kRawJson:
    case FieldKind::kFieldsV1: return *static_cast<const RawJson*>(a) == *static_cast<const RawJson*>(b);
    case FieldKind::kStringList: return *static_cast<const List<Str>*>(a) == *static_cast<const List<Str>*>(b);
    default: return *static_cast<const Str*>(a) == *static_cast<const Str*>(b);
  }
}

bool same_block(const void* a, const void* b) { return std::memcmp(a, b, sizeof(void*)) == 0; }

bool equal_field(const FieldDesc& field, const void* a, const void* b, Equality how) {
  const void* at_a = field_at(field, a);
  const void* at_b = field_at(field, b);
  if (field.form == Form::kList || field.form == Form::kMap) {
    if (same_block(at_a, at_b)) return true;
    const size_t size = list_size(at_a);
    if (how == Equality::kSentToStored && size == 0 && !list_is_nil(at_a)) return false;
    if (size != list_size(at_b)) return false;
    for (size_t i = 0; i < size; ++i) {
      const void* item_a = list_item(field, at_a, i);
      const void* item_b = list_item(field, at_b, i);
      if (field.form == Form::kMap) {
        if (map_key(item_a) != map_key(item_b)) return false;
        item_a = map_value(item_a);
        item_b = map_value(item_b);
      }
      if (!equal_value(field, item_a, item_b, how)) return false;
    }
    return true;
  }
  if (field.kind == FieldKind::kStruct) {
    if (field.form != Form::kValue && field.form != Form::kInline && same_block(at_a, at_b)) return true;
    const void* struct_a = struct_at(field, a);
    const void* struct_b = struct_at(field, b);
    if (!struct_a || !struct_b) return struct_a == struct_b;
    return equal_struct(*field.type, struct_a, struct_b, how);
  }
  if (field.form == Form::kPointer) {
    if (opt_present(field, a) != opt_present(field, b)) return false;
    if (!opt_present(field, a)) return true;
  }
  return equal_value(field, at_a, at_b, how);
}

bool equal_struct(const TypeDesc& type, const void* a, const void* b, Equality how) {
  if (a == b) return true;
  for (const FieldDesc& field : type.fields)
    if (!equal_field(field, a, b, how)) return false;
  return true;
}

uint64_t hash_text(const Str& text) { return text.hash(); }

uint64_t hash_value(const FieldDesc& field, const void* at) {
  switch (field.kind) {
    case FieldKind::kStruct: return semantic_hash(*field.type, at);
    case FieldKind::kBool: return *static_cast<const bool*>(at);
    case FieldKind::kInt32: return static_cast<uint64_t>(*static_cast<const int32_t*>(at));
    case FieldKind::kInt64: return static_cast<uint64_t>(*static_cast<const int64_t*>(at));
    case FieldKind::kFloat64: {
      uint64_t bits;
      std::memcpy(&bits, at, 8);
      return bits;
    }
    case FieldKind::kQuantity: return static_cast<uint64_t>(static_cast<const Quantity*>(at)->milli_value());
    case FieldKind::kTime:
    case FieldKind::kMicroTime: {
      const auto& t = *static_cast<const Timestamp*>(at);
      return hash_combine(static_cast<uint64_t>(t.seconds), static_cast<uint64_t>(t.nanos) + t.set);
    }
    case FieldKind::kDuration: return static_cast<uint64_t>(static_cast<const ApiDuration*>(at)->ns);
    case FieldKind::kIntOrString: {
      const auto& v = *static_cast<const IntOrString*>(at);
      return v.is_text ? hash_text(v.text) : static_cast<uint64_t>(v.number);
    }
    case FieldKind::kRawJson:
    case FieldKind::kFieldsV1: return hash_text(static_cast<const RawJson*>(at)->text);
    case FieldKind::kStringList: {
      uint64_t h = 7;
      for (const Str& s : *static_cast<const List<Str>*>(at)) h = hash_combine(h, hash_text(s));
      return h;
    }
    default: return hash_text(*static_cast<const Str*>(at));
  }
}

uint64_t hash_field(const FieldDesc& field, const void* object) {
  const void* at = field_at(field, object);
  if (field.form == Form::kList || field.form == Form::kMap) {
    uint64_t h = list_size(at);
    for (size_t i = 0; i < list_size(at); ++i) {
      const void* item = list_item(field, at, i);
      if (field.form == Form::kMap) {
        h = hash_combine(h, hash_text(map_key(item)));
        item = map_value(item);
      }
      h = hash_combine(h, hash_value(field, item));
    }
    return h;
  }
  if (field.kind == FieldKind::kStruct) {
    const void* inner = struct_at(field, object);
    return inner ? semantic_hash(*field.type, inner) : 1;
  }
  if (field.form == Form::kPointer && !opt_present(field, object)) return 1;
  return hash_value(field, at);
}

void compare(const Json& a, const Json& b, std::string& path, std::vector<Difference>& out) {
  if (a == b) return;
  const size_t mark = path.size();
  if (a.is_object() && b.is_object()) {
    const auto visit = [&](const Json::Member& member, const Json* before, const Json* after) {
      path += (mark ? "." : "") + member.key.str();
      if (before && after) {
        compare(*before, *after, path, out);
      } else {
        out.push_back({path, before ? before->dump() : "", after ? after->dump() : ""});
      }
      path.resize(mark);
    };
    for (const auto& member : a.members()) visit(member, &member.value, b.find(member.key));
    for (const auto& member : b.members())
      if (!a.find(member.key)) visit(member, nullptr, &member.value);
  } else if (a.is_array() && b.is_array()) {
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      path += str_cat("[", uint64_t{i}, "]");
      if (i < a.size() && i < b.size()) {
        compare(a[i], b[i], path, out);
      } else {
        out.push_back({path, i < a.size() ? a[i].dump() : "", i < b.size() ? b[i].dump() : ""});
      }
      path.resize(mark);
    }
  } else {
    out.push_back({path, a.dump(), b.dump()});
  }
}

}  // namespace

bool semantic_equal(const TypeDesc& type, const void* a, const void* b) { return equal_struct(type, a, b, Equality::kSemantic); }

bool equals_stored(const TypeDesc& type, const void* sent, const void* stored) {
  return equal_struct(type, sent, stored, Equality::kSentToStored);
}

bool semantic_equal(const Object& a, const Object& b) {
  if (a.same(b)) return true;
  return a.type() == b.type() && a && semantic_equal(*a.type(), a.data(), b.data());
}

uint64_t semantic_hash(const TypeDesc& type, const void* object) {
  uint64_t h = type.fields.size();
  for (const FieldDesc& field : type.fields) h = hash_combine(h, hash_field(field, object));
  return h;
}

uint64_t semantic_hash(const Object& object) { return object ? semantic_hash(*object.type(), object.data()) : 0; }

std::vector<Difference> diff(const Object& before, const Object& after) {
  std::vector<Difference> out;
  std::string path;
  compare(before ? to_json(before) : Json(), after ? to_json(after) : Json(), path, out);
  return out;
}

}  // namespace orrery::api
