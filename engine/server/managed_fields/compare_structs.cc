#include <algorithm>
#include <cstring>

#include "engine/api/codec_json.h"
#include "engine/api/reflect.h"
#include "engine/server/managed_fields/comparison.h"

namespace orrery::server::managed {
namespace {

using api::FieldDesc;
using api::FieldKind;
using api::Form;
using api::Json;
using api::TypeDesc;
using api::is_empty_value;
using api::list_is_nil;
using api::list_item;
using api::list_size;
using api::map_key;
using api::map_value;
using Change = ComparisonBuilder::Change;
using Kind = PathElement::Kind;

bool same_block(const void* a, const void* b) { return std::memcmp(a, b, sizeof(void*)) == 0; }

bool equal_scalar(FieldKind kind, const void* a, const void* b) {
  const auto same = [&]<typename T>(const T*) { return *static_cast<const T*>(a) == *static_cast<const T*>(b); };
  switch (kind) {
    case FieldKind::kBool: return same(static_cast<bool*>(nullptr));
    case FieldKind::kInt32: return same(static_cast<int32_t*>(nullptr));
    case FieldKind::kInt64: return same(static_cast<int64_t*>(nullptr));
    case FieldKind::kFloat64: return same(static_cast<double*>(nullptr));
    case FieldKind::kDuration: return same(static_cast<api::ApiDuration*>(nullptr));
    case FieldKind::kIntOrString: return same(static_cast<api::IntOrString*>(nullptr));
    case FieldKind::kStringList: return same(static_cast<List<Str>*>(nullptr));
    // Their text counts: equal amounts may be written differently.
    case FieldKind::kQuantity: {
      const auto& x = *static_cast<const api::Quantity*>(a);
      const auto& y = *static_cast<const api::Quantity*>(b);
      return x == y && (x.format() == y.format() || x.to_string() == y.to_string());
    }
    case FieldKind::kTime: {
      const auto& x = *static_cast<const api::Timestamp*>(a);
      const auto& y = *static_cast<const api::Timestamp*>(b);
      return x.set == y.set && x.seconds == y.seconds;
    }
    case FieldKind::kMicroTime: {
      const auto& x = *static_cast<const api::Timestamp*>(a);
      const auto& y = *static_cast<const api::Timestamp*>(b);
      return x.set == y.set && x.seconds == y.seconds && x.nanos / 1000 == y.nanos / 1000;
    }
    case FieldKind::kBytes:
      return same(static_cast<Str*>(nullptr)) &&
             static_cast<const api::Bytes*>(a)->present == static_cast<const api::Bytes*>(b)->present;
    default: return same(static_cast<Str*>(nullptr));
  }
}

bool is_raw(const FieldDesc& field) {
  return field.kind == FieldKind::kRawJson || field.kind == FieldKind::kFieldsV1 ||
         (field.kind == FieldKind::kStruct && field.type->is_union);
}

Json raw_value(const FieldDesc& field, const void* at) {
  if (field.kind == FieldKind::kStruct) return api::to_json(*field.type, at);
  const Str& text = static_cast<const api::RawJson*>(at)->text;
  if (text.empty()) return Json();
  auto parsed = Json::parse(text);
  return parsed.is_ok() ? *std::move(parsed) : Json();
}

// The canonical JSON of a scalar that is a key or an element of a set.
void append_scalar(std::string& out, FieldKind kind, const void* at) {
  switch (kind) {
    case FieldKind::kBool: out += *static_cast<const bool*>(at) ? "true" : "false"; return;
    case FieldKind::kInt32: str_append(out, int64_t{*static_cast<const int32_t*>(at)}); return;
    case FieldKind::kInt64: str_append(out, *static_cast<const int64_t*>(at)); return;
    default: api::append_json_string(out, *static_cast<const Str*>(at)); return;
  }
}

/// Walks both structs together. A pointer to a value is nullptr where the value is absent, or null.
class Walker {
 public:
  explicit Walker(FieldSetPool& pool) : build_(pool), pool_(pool) {}

  Comparison run(const TypeDesc& type, const void* before, const void* after) {
    fields(type, before ? before : type.zero(), after ? after : type.zero());
    Comparison all = build_.finish();
    all.lacks_keys = lacks_keys_;
    return all;
  }

 private:
  struct Item {
    PathElement element;
    const void* at;
  };

  static Change change_of(bool in_a, bool in_b) {
    if (!in_a) return Change::kAdded;
    return in_b ? Change::kNone : Change::kRemoved;
  }
  void leaf(const PathElement& element, bool in_a, bool in_b, bool equal) {
    build_.leaf(element, in_a && in_b && !equal ? Change::kModified : change_of(in_a, in_b));
  }
  bool equal_structs(const TypeDesc& type, const void* a, const void* b) {
    return a == b || (a && b && Walker(pool_).run(type, a, b).empty());
  }
  static bool has_fields(const TypeDesc& type, const void* object) {
    for (const FieldDesc& field : type.fields) {
      if (field.form == Form::kInline ? has_fields(*field.type, field_at(field, object))
                                      : !(field.omit_empty && is_empty_value(field, object)))
        return true;
    }
    return false;
  }

  void fields(const TypeDesc& type, const void* a, const void* b) {
    for (const FieldDesc& field : type.fields) {
      if (field.form == Form::kInline) {
        fields(*field.type, a ? field_at(field, a) : nullptr, b ? field_at(field, b) : nullptr);
        continue;
      }
      if (a && b && shared(field, field_at(field, a), field_at(field, b))) continue;
      const bool in_a = a && !(field.omit_empty && is_empty_value(field, a));
      const bool in_b = b && !(field.omit_empty && is_empty_value(field, b));
      if (in_a || in_b) one_field(field, in_a ? a : nullptr, in_b ? b : nullptr);
    }
  }
  // Lists, maps and structs of their own are one pointer to a block.
  static bool shared(const FieldDesc& field, const void* at_a, const void* at_b) {
    const bool block = field.form == Form::kList || field.form == Form::kMap || field.form == Form::kValueRef ||
                       (field.form == Form::kPointer && field.kind == FieldKind::kStruct);
    return block && same_block(at_a, at_b);
  }

  // `a`, `b`: the struct around the field, nullptr where the field is absent.
  void one_field(const FieldDesc& field, const void* a, const void* b) {
    const PathElement element{Kind::kField, field.json};
    const void* at_a = a ? field_at(field, a) : nullptr;
    const void* at_b = b ? field_at(field, b) : nullptr;
    if (field.form == Form::kMap) return map(element, field, at_a, at_b);
    if (field.form == Form::kList) return list(element, field, at_a, at_b);
    if (field.kind == FieldKind::kStruct) {
      at_a = a ? struct_at(field, a) : nullptr;
      at_b = b ? struct_at(field, b) : nullptr;
    } else if (field.form == Form::kPointer) {
      if (a && !opt_present(field, a)) at_a = nullptr;
      if (b && !opt_present(field, b)) at_b = nullptr;
    }
    if (is_raw(field)) return raw(element, field, a != nullptr, at_a, b != nullptr, at_b);
    if (field.kind == FieldKind::kStruct)
      return one_struct(element, *field.type, field.atomic_map, a != nullptr, at_a, b != nullptr, at_b);
    leaf(element, a, b, at_a && at_b ? equal_scalar(field.kind, at_a, at_b) : at_a == at_b);
  }

  void raw(const PathElement& element, const FieldDesc& field, bool in_a, const void* a, bool in_b, const void* b) {
    const Json before = a ? raw_value(field, a) : Json();
    const Json after = b ? raw_value(field, b) : Json();
    compare_json_value(build_, element, MergeType::of_field(field), in_a ? &before : nullptr, in_b ? &after : nullptr);
  }

  void one_struct(const PathElement& element, const TypeDesc& type, bool atomic, bool in_a, const void* a, bool in_b,
                  const void* b) {
    if (atomic || (!a && !b)) return leaf(element, in_a, in_b, equal_structs(type, a, b));
    const auto mark = build_.begin();
    Change change = change_of(in_a, in_b);
    // Null and {} differ.
    if (change == Change::kNone && (!a || !b) && !has_fields(type, a ? a : b)) change = Change::kModified;
    fields(type, a, b);
    build_.node(element, change, mark);
  }

  // One element of a list or value of a map; both of the same field.
  void value(const PathElement& element, const FieldDesc& field, bool atomic, const void* a, const void* b) {
    if (is_raw(field)) return raw(element, field, a != nullptr, a, b != nullptr, b);
    if (field.kind == FieldKind::kStruct)
      return one_struct(element, *field.type, atomic, a != nullptr, a, b != nullptr, b);
    leaf(element, a, b, a && b && equal_scalar(field.kind, a, b));
  }
  bool equal_value(const FieldDesc& field, const void* a, const void* b) {
    if (is_raw(field)) return raw_value(field, a) == raw_value(field, b);
    return field.kind == FieldKind::kStruct ? equal_structs(*field.type, a, b) : equal_scalar(field.kind, a, b);
  }
  bool equal_lists(const FieldDesc& field, const void* a, const void* b) {
    if (list_is_nil(a) != list_is_nil(b) || list_size(a) != list_size(b)) return false;
    for (size_t i = 0; i < list_size(a); ++i) {
      const void* x = list_item(field, a, i);
      const void* y = list_item(field, b, i);
      if (field.form == Form::kMap) {
        if (map_key(x) != map_key(y)) return false;
        x = map_value(x);
        y = map_value(y);
      }
      if (!equal_value(field, x, y)) return false;
    }
    return true;
  }

  void map(const PathElement& element, const FieldDesc& field, const void* a, const void* b) {
    const size_t size_a = a ? list_size(a) : 0, size_b = b ? list_size(b) : 0;
    if (field.atomic_map || (size_a == 0 && size_b == 0))
      return leaf(element, a, b, a && b && equal_lists(field, a, b));
    const auto mark = build_.begin();
    for (size_t i = 0, j = 0; i < size_a || j < size_b;) {
      const void* x = i < size_a ? list_item(field, a, i) : nullptr;
      const void* y = j < size_b ? list_item(field, b, j) : nullptr;
      if (x && y && map_key(x) != map_key(y)) (map_key(x) < map_key(y) ? y : x) = nullptr;
      const PathElement key{Kind::kField, map_key(x ? x : y)};
      value(key, field, false, x ? map_value(x) : nullptr, y ? map_value(y) : nullptr);
      i += x != nullptr;
      j += y != nullptr;
    }
    build_.node(element, change_of(a, b), mark);
  }

  void list(const PathElement& element, const FieldDesc& field, const void* a, const void* b) {
    const size_t size_a = a ? list_size(a) : 0, size_b = b ? list_size(b) : 0;
    const MergeType type = MergeType::of_field(field);
    if (type.atomic() || (size_a == 0 && size_b == 0))
      return leaf(element, a, b, a && b && equal_lists(field, a, b));
    const auto mark = build_.begin();
    const std::vector<Item> items_a = items(field, a, size_a), items_b = items(field, b, size_b);
    const bool atomic = MergeType::of_element(field).atomic();
    for (size_t i = 0, j = 0; i < size_a || j < size_b;) {
      const bool only_a = j == size_b || (i < size_a && compare(items_a[i].element, items_b[j].element) < 0);
      const PathElement& key = only_a ? items_a[i].element : items_b[j].element;
      const std::span<const Item> same_a = run_of(items_a, i, key), same_b = run_of(items_b, j, key);
      group(field, atomic, key, same_a, same_b);
      i += same_a.size();
      j += same_b.size();
    }
    build_.node(element, change_of(a, b), mark);
  }
  static std::span<const Item> run_of(const std::vector<Item>& items, size_t from, const PathElement& key) {
    size_t end = from;
    while (end < items.size() && items[end].element == key) ++end;
    return std::span(items).subspan(from, end - from);
  }
  // Items with one key. Duplicates count as one leaf.
  void group(const FieldDesc& field, bool atomic, const PathElement& key, std::span<const Item> a,
             std::span<const Item> b) {
    if (a.size() <= 1 && b.size() <= 1)
      return value(key, field, atomic, a.empty() ? nullptr : a[0].at, b.empty() ? nullptr : b[0].at);
    if (a.size() >= 2 && b.size() >= 2) {
      const bool equal = std::equal(a.begin(), a.end(), b.begin(), b.end(),
                                    [&](const Item& x, const Item& y) { return equal_value(field, x.at, y.at); });
      return leaf(key, true, true, equal);
    }
    if (a.size() >= 2) {
      if (!b.empty()) value(key, field, atomic, nullptr, b[0].at);
      return build_.leaf(key, Change::kRemoved);
    }
    if (!a.empty()) value(key, field, atomic, a[0].at, nullptr);
    build_.leaf(key, Change::kAdded);
  }

  // In the order of their keys; items of one key in their own.
  std::vector<Item> items(const FieldDesc& field, const void* list, size_t size) {
    std::vector<Item> out;
    out.reserve(size);
    for (size_t i = 0; i < size; ++i) {
      const void* at = list_item(field, list, i);
      out.push_back({key_of(field, at), at});
    }
    const auto less = [](const Item& x, const Item& y) { return compare(x.element, y.element) < 0; };
    if (!std::is_sorted(out.begin(), out.end(), less)) std::stable_sort(out.begin(), out.end(), less);
    return out;
  }
  PathElement key_of(const FieldDesc& field, const void* item) {
    scratch_.clear();
    if (field.list_map_keys.empty()) {
      append_scalar(scratch_, field.kind, item);
      return {Kind::kValue, pool_.keep(scratch_)};
    }
    key_names_.clear();
    for (std::string_view names = field.list_map_keys; !names.empty();) {
      const size_t end = std::min(names.find(' '), names.size());
      key_names_.push_back(names.substr(0, end));
      names.remove_prefix(std::min(end + 1, names.size()));
    }
    std::sort(key_names_.begin(), key_names_.end());
    for (const std::string_view name : key_names_) {
      scratch_ += scratch_.empty() ? '{' : ',';
      scratch_ += '"';
      scratch_ += name;
      scratch_ += "\":";
      append_key(field, name, item);
    }
    scratch_ += '}';
    return {Kind::kKey, pool_.keep(scratch_)};
  }
  void append_key(const FieldDesc& list, std::string_view name, const void* item) {
    size_t hint = 0;
    void* at = const_cast<void*>(item);
    const FieldDesc* field = api::find_field(*list.type, name, &at, &hint);
    CHECK(field != nullptr) << list.json << " has no key " << name;
    const bool absent = is_empty_value(*field, at) && (field->omit_empty || field->form == Form::kPointer);
    if (!absent) return append_scalar(scratch_, field->kind, field_at(*field, at));
    lacks_keys_ = lacks_keys_ || field->default_json.empty();
    scratch_ += field->default_json.empty() ? std::string_view("null") : field->default_json;
  }

  ComparisonBuilder build_;
  FieldSetPool& pool_;
  std::string scratch_;
  std::vector<std::string_view> key_names_;
  bool lacks_keys_ = false;
};

}  // namespace

Comparison compare_structs(const TypeDesc& type, const void* before, const void* after, FieldSetPool& pool) {
  return Walker(pool).run(type, before, after);
}

}  // namespace orrery::server::managed
