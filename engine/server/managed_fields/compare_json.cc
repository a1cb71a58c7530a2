#include <algorithm>

#include "engine/server/managed_fields/comparison.h"
#include "engine/server/managed_fields/item_index.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using Change = ComparisonBuilder::Change;
using Shape = MergeType::Shape;

Change change_of(const Json* a, const Json* b) {
  if (!a) return Change::kAdded;
  return b ? Change::kNone : Change::kRemoved;
}

void leaf(ComparisonBuilder& build, const PathElement& element, const Json* a, const Json* b) {
  build.leaf(element, a && b && *a != *b ? Change::kModified : change_of(a, b));
}

// Both as objects; other values have no members.
void members(ComparisonBuilder& build, const MergeType& type, const Json* a, const Json* b) {
  const auto one = [&](const Str& name, const Json* x, const Json* y) {
    compare_json_value(build, {PathElement::Kind::kField, build.pool().keep(name)}, type.member(name), x, y);
  };
  const MemberIndex in_a(a), in_b(b);
  if (a)
    for (const auto& member : a->members()) one(member.key, &member.value, in_b.find(member.key));
  if (b)
    for (const auto& member : b->members())
      if (!in_a.find(member.key)) one(member.key, nullptr, &member.value);
}

struct Item {
  PathElement element;
  const Json* value;
};

// In the order of their keys; items without one are left out.
std::vector<Item> items_of(const MergeType& list, const Json* value, FieldSetPool& pool) {
  std::vector<Item> out;
  if (!value) return out;
  for (const Json& item : value->items())
    if (auto element = item_element(list, item, pool); element.is_ok()) out.push_back({*element, &item});
  std::stable_sort(out.begin(), out.end(), [](const Item& x, const Item& y) { return compare(x.element, y.element) < 0; });
  return out;
}

std::span<const Item> run_of(const std::vector<Item>& items, size_t from, const PathElement& key) {
  size_t end = from;
  while (end < items.size() && items[end].element == key) ++end;
  return std::span(items).subspan(from, end - from);
}

void group(ComparisonBuilder& build, const MergeType& type, const PathElement& key, std::span<const Item> a,
           std::span<const Item> b) {
  if (a.size() <= 1 && b.size() <= 1)
    return compare_json_value(build, key, type, a.empty() ? nullptr : a[0].value, b.empty() ? nullptr : b[0].value);
  if (a.size() >= 2 && b.size() >= 2) {
    const bool equal = std::equal(a.begin(), a.end(), b.begin(), b.end(),
                                  [](const Item& x, const Item& y) { return *x.value == *y.value; });
    return build.leaf(key, equal ? Change::kNone : Change::kModified);
  }
  if (a.size() >= 2) {
    if (!b.empty()) compare_json_value(build, key, type, nullptr, b[0].value);
    return build.leaf(key, Change::kRemoved);
  }
  if (!a.empty()) compare_json_value(build, key, type, a[0].value, nullptr);
  build.leaf(key, Change::kAdded);
}

void items(ComparisonBuilder& build, const MergeType& list, const Json* a, const Json* b) {
  const std::vector<Item> items_a = items_of(list, a, build.pool()), items_b = items_of(list, b, build.pool());
  const MergeType type = list.element();
  for (size_t i = 0, j = 0; i < items_a.size() || j < items_b.size();) {
    const bool from_a = j == items_b.size() ||
                        (i < items_a.size() && compare(items_a[i].element, items_b[j].element) < 0);
    const PathElement key = from_a ? items_a[i].element : items_b[j].element;
    const auto same_a = run_of(items_a, i, key), same_b = run_of(items_b, j, key);
    group(build, type, key, same_a, same_b);
    i += same_a.size();
    j += same_b.size();
  }
}

bool has_content(const Json* value) { return value && value->size() > 0; }

// What has become of another shape is walked as what it was, then as what it is.
void compare_shapes(ComparisonBuilder& build, const PathElement& element, const MergeType& type, const Json& before, const Json& after) {
  const auto mark = build.begin();
  bool leaves = false;
  const auto walk = [&](const Json& value, const Json* a, const Json* b) {
    const Shape shape = shape_for(type, value);
    if (shape == Shape::kScalar || atomic_for(type, shape) || !has_content(&value)) leaves = true;
    else if (shape == Shape::kList) items(build, type, a, b);
    else members(build, type, a, b);
  };
  walk(before, &before, nullptr);
  walk(after, nullptr, &after);
  build.node(element, leaves ? Change::kModified : Change::kNone, mark);
}

}  // namespace

void compare_json_value(ComparisonBuilder& build, const PathElement& element, const MergeType& type,
                        const Json* before, const Json* after) {
  const Json* some = after && !after->is_null() ? after : before && !before->is_null() ? before : after;
  const Shape shape = shape_for(type, some ? *some : Json());
  if (before && after && !before->is_null() && !after->is_null() && shape_for(type, *before) != shape)
    return compare_shapes(build, element, type, *before, *after);
  if (shape == Shape::kScalar || atomic_for(type, shape) || (!has_content(before) && !has_content(after)))
    return leaf(build, element, before, after);
  const auto mark = build.begin();
  if (shape == Shape::kList) {
    items(build, type, before, after);
  } else {
    members(build, type, before, after);
  }
  build.node(element, change_of(before, after), mark);
}

Comparison compare_json(const MergeType& type, const Json& before, const Json& after, FieldSetPool& pool) {
  ComparisonBuilder build(pool);
  members(build, type, &before, &after);
  return build.finish();
}

}  // namespace orrery::server::managed
