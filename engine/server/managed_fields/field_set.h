#pragma once

#include <compare>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::server::managed {

/// Sets of paths into an object: what managedFields say that a manager owns. Semantics of
/// structured-merge-diff v4.4 (fieldpath.Set), as Kubernetes v1.32 uses it.

/// One step of a path: a field or map key, an element of a list by its keys, an element of a set by
/// its value, or an index.
struct PathElement {
  enum class Kind : uint8_t { kField, kKey, kValue, kIndex };
  Kind kind = Kind::kField;
  /// kField: the name. Else canonical JSON: {"name":"a"} with sorted names, "x", 3.
  std::string_view text;

  bool operator==(const PathElement&) const = default;
};
/// Fields by name, then keys, values (numbers by amount, before texts) and indexes.
std::strong_ordering compare(const PathElement& a, const PathElement& b);
/// ".name", [name="a",port=80], [="x"], [3]: how messages write it.
std::string to_string(const PathElement& element);

class FieldSet;

struct FieldSetEntry {
  PathElement element;
  bool member = false;              // the path that ends here belongs to the set
  const FieldSet* below = nullptr;  // longer paths; nullptr: none
};

/// An immutable node of a tree of paths: sorted entries, none of them empty. The empty set is nullptr
/// everywhere. Nodes live in a FieldSetPool and may share subtrees.
class FieldSet {
 public:
  std::span<const FieldSetEntry> entries() const { return {entries_, size_}; }
  const FieldSetEntry* find(const PathElement& element) const;

 private:
  friend class FieldSetPool;
  FieldSet(const FieldSetEntry* entries, size_t size) : entries_(entries), size_(size) {}
  const FieldSetEntry* entries_;
  size_t size_;
};

/// Owns sets and the texts they point to. All of it is freed at once: one pool serves one request.
class FieldSetPool {
 public:
  FieldSetPool() : memory_(first_, sizeof(first_)) {}
  FieldSetPool(const FieldSetPool&) = delete;
  FieldSetPool& operator=(const FieldSetPool&) = delete;

  /// A copy of `text` that lives as long as the pool.
  std::string_view keep(std::string_view text);
  /// A node of entries that are sorted, distinct and not empty; nullptr if there are none.
  const FieldSet* make(std::span<const FieldSetEntry> sorted);
  /// The same of entries in any order; equal elements are united.
  const FieldSet* make_unsorted(std::span<FieldSetEntry> entries);
  /// A set of one path.
  const FieldSet* path(std::span<const PathElement> steps);

  const FieldSet* unite(const FieldSet* a, const FieldSet* b);
  const FieldSet* subtract(const FieldSet* a, const FieldSet* b);
  /// Also without all that lies below a member of `b`.
  const FieldSet* subtract_below(const FieldSet* a, const FieldSet* b);
  const FieldSet* intersect(const FieldSet* a, const FieldSet* b);

 private:
  alignas(16) char first_[8192];
  std::pmr::monotonic_buffer_resource memory_;
};

/// The entry's parts as one call: nullptr-safe lookups.
const FieldSet* below(const FieldSet* set, const PathElement& element);
bool has_member(const FieldSet* set, const PathElement& element);
bool has_path(const FieldSet* set, std::span<const PathElement> steps);

/// Each path as text (".spec.containers[name=\"a\"].image"), in upstream's order: the members of a
/// node before what lies below it.
void append_paths(const FieldSet* set, std::vector<std::string>& out);

}  // namespace orrery::server::managed
