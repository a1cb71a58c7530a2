#include "engine/server/managed_fields/comparison.h"

namespace orrery::server::managed {
namespace {

const FieldSet* take(FieldSetPool& pool, std::vector<FieldSetEntry>& entries, size_t from) {
  if (entries.size() == from) return nullptr;
  const FieldSet* set = pool.make_unsorted(std::span(entries).subspan(from));
  entries.resize(from);
  return set;
}

void push(std::vector<FieldSetEntry>& entries, const PathElement& element, bool member, const FieldSet* below) {
  if (member || below) entries.push_back({element, member, below});
}

}  // namespace

void ComparisonBuilder::leaf(const PathElement& element, Change change) {
  if (change == Change::kAdded) added_.push_back({element, true, nullptr});
  if (change == Change::kModified) modified_.push_back({element, true, nullptr});
  if (change == Change::kRemoved) removed_.push_back({element, true, nullptr});
}

Comparison ComparisonBuilder::level(const Mark& mark) {
  Comparison sets;
  sets.removed = take(pool_, removed_, mark.removed);
  sets.modified = take(pool_, modified_, mark.modified);
  sets.added = take(pool_, added_, mark.added);
  return sets;
}

void ComparisonBuilder::node(const PathElement& element, Change change, const Mark& mark) {
  const Comparison sets = level(mark);
  push(removed_, element, change == Change::kRemoved, sets.removed);
  push(modified_, element, change == Change::kModified, sets.modified);
  push(added_, element, change == Change::kAdded, sets.added);
}

Comparison ComparisonBuilder::finish() { return level({0, 0, 0}); }

}  // namespace orrery::server::managed
