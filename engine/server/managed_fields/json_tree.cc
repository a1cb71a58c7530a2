#include "engine/server/managed_fields/json_tree.h"

#include <algorithm>

#include "engine/server/managed_fields/item_index.h"

namespace orrery::server::managed {

using api::Json;
using Kind = PathElement::Kind;
using Shape = MergeType::Shape;

Shape shape_for(const MergeType& type, const Json& value) {
  const Shape shape = type.shape();
  if (shape != Shape::kAny && shape != Shape::kAtomicAny && shape != Shape::kUnknown) return shape;
  if (value.is_object()) return Shape::kObject;
  return value.is_array() ? Shape::kList : Shape::kScalar;
}

bool atomic_for(const MergeType& type, Shape shape) {
  switch (type.shape()) {
    case Shape::kAny: return shape != Shape::kObject;
    case Shape::kAtomicAny:
    case Shape::kUnknown: return true;
    default: return type.atomic();
  }
}

namespace {

Result<PathElement> keyed_element(const MergeType& list, const Json& item, FieldSetPool& pool) {
  if (item.is_null()) return bad_request("associative list with keys may not have a null element");
  if (!item.is_object()) return bad_request("associative list with keys may not have non-map elements");
  Json key = Json::object();
  for (std::string_view names = list.list_keys(); !names.empty();) {
    const size_t end = std::min(names.find(' '), names.size());
    const std::string_view name = names.substr(0, end);
    names.remove_prefix(std::min(end + 1, names.size()));
    const Json* value = item.find(name);
    Json fallback = value ? Json() : list.element().field_default(name);
    if (!value && fallback.is_null())
      return bad_request(str_cat("associative list with keys has an element that omits key field \"", name,
                                 "\" (and doesn't have default value)"));
    key.set(name, value ? *value : std::move(fallback));
  }
  return PathElement{Kind::kKey, pool.keep(key.dump_sorted())};
}

}  // namespace

Result<PathElement> item_element(const MergeType& list, const Json& item, FieldSetPool& pool) {
  if (!list.list_keys().empty()) return keyed_element(list, item, pool);
  if (item.is_object()) return bad_request("associative list without keys has an element that's a map type");
  if (item.is_array()) return bad_request("not supported: associative list with lists as elements");
  if (item.is_null()) return bad_request("associative list without keys has an element that's an explicit null");
  return PathElement{Kind::kValue, pool.keep(item.dump())};
}

namespace {

/// Collects the entries of one level after another on one stack.
class SetBuilder {
 public:
  explicit SetBuilder(FieldSetPool& pool) : pool_(pool) {}

  // Whether the value itself is owned; what lies below it comes back in *below.
  bool value(const MergeType& type, const Json& value, const FieldSet** below) {
    const Shape shape = shape_for(type, value);
    *below = nullptr;
    if (shape == Shape::kScalar || atomic_for(type, shape)) return true;
    const size_t mark = stack_.size();
    if (shape == Shape::kList && value.is_array()) items(type, value);
    if (shape == Shape::kObject && value.is_object()) members(type, value);
    *below = pool_.make_unsorted(std::span(stack_).subspan(mark));
    stack_.resize(mark);
    return false;
  }

 private:
  void push(const PathElement& element, const MergeType& type, const Json& item, bool itself) {
    const FieldSet* inner = nullptr;
    const bool owned = value(type, item, &inner) || itself;
    if (owned || inner) stack_.push_back({element, owned, inner});
  }
  void members(const MergeType& type, const Json& object) {
    for (const auto& member : object.members()) {
      const bool empty = member.value.is_null() || (member.value.is_object() && member.value.size() == 0);
      push({Kind::kField, pool_.keep(member.key)}, type.member(member.key), member.value,
           empty || !type.has_field(member.key));
    }
  }
  // Of duplicates only the item itself is owned.
  void items(const MergeType& list, const Json& array) {
    const ItemIndex index(list, &array, pool_);
    for (size_t i = 0; i < index.size(); ++i) {
      if (index.count(index.element(i)) > 1) {
        stack_.push_back({index.element(i), true, nullptr});
      } else {
        push(index.element(i), list.element(), index.value(i), true);
      }
    }
  }

  FieldSetPool& pool_;
  std::vector<FieldSetEntry> stack_;
};

}  // namespace

const FieldSet* field_set(const MergeType& type, const Json& value, FieldSetPool& pool) {
  const FieldSet* set = nullptr;
  SetBuilder(pool).value(type, value, &set);
  return set;
}

Json remove_items(const MergeType& type, const Json& value, const FieldSet* set) {
  const Shape shape = shape_for(type, value);
  if (shape == Shape::kScalar) return value;
  if (atomic_for(type, shape) || value.size() == 0) return Json();
  Json out;
  if (shape == Shape::kObject) {
    Json kept = Json::object();
    for (const auto& member : value.members()) {
      const PathElement element{Kind::kField, member.key};
      if (has_member(set, element)) continue;
      const FieldSet* inner = below(set, element);
      kept.members().push_back({member.key, inner ? remove_items(type.member(member.key), member.value, inner) : member.value});
    }
    return kept.size() == 0 ? Json() : kept;
  }
  FieldSetPool pool;
  for (const Json& item : value.items()) {
    const auto element = item_element(type, item, pool);
    if (element.is_ok() && has_member(set, *element)) continue;
    const FieldSet* inner = element.is_ok() ? below(set, *element) : nullptr;
    out.push_back(inner ? remove_items(type.element(), item, inner) : item);
  }
  return out;
}

const FieldSet* with_named_fields(const MergeType& type, const FieldSet* set, FieldSetPool& pool) {
  if (!set) return nullptr;
  std::vector<FieldSetEntry> entries(set->entries().begin(), set->entries().end());
  const Shape shape = type.shape();
  for (FieldSetEntry& entry : entries) {
    if (!entry.below) continue;
    MergeType inner;
    if (entry.element.kind == Kind::kField && shape != Shape::kList) {
      inner = type.member(entry.element.text);
      entry.member |= type.has_field(entry.element.text);
    } else if (entry.element.kind == Kind::kKey && shape == Shape::kList) {
      inner = type.element();
    }
    entry.below = with_named_fields(inner, entry.below, pool);
  }
  return pool.make(entries);
}

const FieldSet* reconcile(const MergeType& type, const FieldSet* set, FieldSetPool& pool) {
  if (!set) return nullptr;
  std::vector<FieldSetEntry> changed;
  const auto all = set->entries();
  for (size_t i = 0; i < all.size(); ++i) {
    const FieldSetEntry& entry = all[i];
    if (!entry.below) continue;
    const bool field = entry.element.kind == Kind::kField;
    const MergeType inner = field ? type.member(entry.element.text) : type.element();
    const Shape shape = inner.shape();
    const bool whole = (shape == Shape::kList || shape == Shape::kObject) && inner.atomic();
    const FieldSet* below = whole ? nullptr : reconcile(inner, entry.below, pool);
    if (below == entry.below) continue;
    if (changed.empty()) changed.assign(all.begin(), all.end());
    changed[i] = {entry.element, entry.member || whole, below};
  }
  return changed.empty() ? set : pool.make(changed);
}

}  // namespace orrery::server::managed
