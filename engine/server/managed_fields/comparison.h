#pragma once

#include <vector>

#include "engine/api/json_value.h"
#include "engine/api/object.h"
#include "engine/server/managed_fields/field_set.h"
#include "engine/server/managed_fields/merge_schema.h"

namespace orrery::server::managed {

/// What differs between two states of an object. Source of the rules: structured-merge-diff v4.4
/// typed/compare.go.
struct Comparison {
  const FieldSet* removed = nullptr;
  const FieldSet* modified = nullptr;
  const FieldSet* added = nullptr;
  /// Structs only: an item of a list that goes by keys has none, which upstream's types do not take.
  bool lacks_keys = false;
  bool empty() const { return !removed && !modified && !added; }
};

/// Two structs of one type, without going through JSON; shared parts are not looked at. Fields that
/// JSON would leave out are absent. A null pointer is the zero struct. Texts of the sets point into
/// both structs.
Comparison compare_structs(const api::TypeDesc& type, const void* before, const void* after, FieldSetPool& pool);

/// Two JSON objects of one type.
Comparison compare_json(const MergeType& type, const api::Json& before, const api::Json& after, FieldSetPool& pool);

/// Collects the three sets of one level of a walk: entries are pushed, and level() turns those since
/// begin() into sets.
class ComparisonBuilder {
 public:
  explicit ComparisonBuilder(FieldSetPool& pool) : pool_(pool) {}
  struct Mark {
    size_t removed, modified, added;
  };
  enum class Change : uint8_t { kNone, kRemoved, kModified, kAdded };

  Mark begin() const { return {removed_.size(), modified_.size(), added_.size()}; }
  /// A leaf that has changed in this way.
  void leaf(const PathElement& element, Change change);
  /// A node whose children have been walked since `mark`; `change` says what became of the node itself.
  void node(const PathElement& element, Change change, const Mark& mark);
  /// The sets of the whole walk.
  Comparison finish();
  FieldSetPool& pool() { return pool_; }

 private:
  Comparison level(const Mark& mark);

  FieldSetPool& pool_;
  std::vector<FieldSetEntry> removed_, modified_, added_;
};

/// One value (nullptr: absent) at `element` of a walk.
void compare_json_value(ComparisonBuilder& build, const PathElement& element, const MergeType& type,
                        const api::Json* before, const api::Json* after);

}  // namespace orrery::server::managed
