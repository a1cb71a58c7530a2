#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/server/managed_fields/json_tree.h"

namespace orrery::server::managed {

/// The items of a list by their keys, each found in constant time. Items without a key are left out.
/// Only looked up by key: the order of the map is never seen.
class ItemIndex {
 public:
  /// `array` may be null (no items); elements live in `pool`.
  ItemIndex(const MergeType& list, const api::Json* array, FieldSetPool& pool) {
    if (!array) return;
    for (const api::Json& item : array->items()) {
      const auto element = item_element(list, item, pool);
      if (!element.is_ok()) continue;
      auto [it, fresh] = first_.try_emplace(element->text, Found{elements_.size(), 0});
      ++it->second.count;
      elements_.push_back(*element);
      values_.push_back(&item);
    }
  }
  size_t size() const { return elements_.size(); }
  const PathElement& element(size_t i) const { return elements_[i]; }
  const api::Json& value(size_t i) const { return *values_[i]; }
  /// How many items have this key.
  size_t count(const PathElement& element) const {
    const auto it = first_.find(element.text);
    return it == first_.end() ? 0 : it->second.count;
  }
  /// The first of them; nullptr if there is none.
  const api::Json* find(const PathElement& element) const {
    const auto it = first_.find(element.text);
    return it == first_.end() ? nullptr : values_[it->second.first];
  }

 private:
  struct Found {
    size_t first, count;
  };
  std::vector<PathElement> elements_;
  std::vector<const api::Json*> values_;
  // All elements of one list are of one kind: the text tells them apart.
  std::unordered_map<std::string_view, Found> first_;
};

/// The members of an object by name. Small objects are searched, large ones hashed.
class MemberIndex {
 public:
  /// `object` may be null (no members).
  explicit MemberIndex(const api::Json* object) : object_(object) {
    if (!object || object->members().size() <= kSearched) return;
    for (const auto& member : object->members()) by_name_[member.key.view()] = &member.value;
  }
  const api::Json* find(std::string_view name) const {
    if (by_name_.empty()) return object_ ? object_->find(name) : nullptr;
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : it->second;
  }

 private:
  static constexpr size_t kSearched = 16;
  const api::Json* object_;
  std::unordered_map<std::string_view, const api::Json*> by_name_;
};

}  // namespace orrery::server::managed
