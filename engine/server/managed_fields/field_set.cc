#include "engine/server/managed_fields/field_set.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>

#include "engine/api/json_value.h"
#include "engine/api/names.h"
#include "engine/base/check.h"
#include "engine/base/str.h"

namespace orrery::server::managed {
namespace {

using api::Json;

int rank(const Json& value) {
  switch (value.type()) {
    case Json::Type::kInt:
    case Json::Type::kUint:
    case Json::Type::kDouble: return 0;
    case Json::Type::kString: return 1;
    case Json::Type::kBool: return 2;
    default: return 3;
  }
}

std::strong_ordering compare_values(const Json& a, const Json& b) {
  if (rank(a) != rank(b)) return rank(a) <=> rank(b);
  if (a.is_int() && b.is_int()) return a.as_int() <=> b.as_int();
  if (a.is_number()) {
    if (a.as_double() == b.as_double()) return std::strong_ordering::equal;
    return a.as_double() < b.as_double() ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (a.is_string()) return a.as_string() <=> b.as_string();
  if (a.is_bool()) return a.as_bool() <=> b.as_bool();
  return std::string_view(a.dump()) <=> b.dump();
}

std::strong_ordering compare_keys(const Json& a, const Json& b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (const auto c = a.members()[i].key <=> b.members()[i].key; c != 0) return c;
    if (const auto c = compare_values(a.members()[i].value, b.members()[i].value); c != 0) return c;
  }
  return a.size() <=> b.size();
}

bool is_whole(std::string_view text) {
  return !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == text.npos;
}

// The value that position `at` lies in, in a key or value without escapes.
std::string_view value_at(std::string_view canonical, size_t at) {
  const size_t colon = canonical.rfind(':', at);
  const size_t begin = colon == canonical.npos ? 0 : colon + 1;
  return canonical.substr(begin, std::min(canonical.find_first_of(",}", begin), canonical.size()) - begin);
}

// Without parsing, where the texts decide: nullopt if they do not.
std::optional<std::strong_ordering> compare_texts(std::string_view a, std::string_view b) {
  if (a.find('\\') != a.npos || b.find('\\') != b.npos) return std::nullopt;
  const size_t at = static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  if (at == a.size() || at == b.size()) return std::nullopt;
  const std::string_view x = value_at(a, at), y = value_at(b, at);
  // Whole numbers by length first; a shorter text comes first.
  if (is_whole(x) && is_whole(y)) return x.size() != y.size() ? x.size() <=> y.size() : x <=> y;
  if (!x.starts_with('"') || !y.starts_with('"')) return std::nullopt;
  if (a[at] == '"' || b[at] == '"') return a[at] == '"' ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.substr(at) <=> b.substr(at);
}

std::strong_ordering compare_canonical(std::string_view a, std::string_view b) {
  if (a == b) return std::strong_ordering::equal;
  if (const auto order = compare_texts(a, b)) return *order;
  const auto left = Json::parse(a), right = Json::parse(b);
  CHECK(left.is_ok() && right.is_ok()) << "path elements hold canonical JSON: " << a << " " << b;
  if (left->is_object() && right->is_object()) return compare_keys(*left, *right);
  return compare_values(*left, *right);
}

std::string value_text(const Json& value) {
  return value.is_string() ? api::quoted(value.as_string()) : value.dump();
}

bool element_less(const FieldSetEntry& a, const FieldSetEntry& b) { return compare(a.element, b.element) < 0; }

std::span<const FieldSetEntry> entries_of(const FieldSet* set) {
  return set ? set->entries() : std::span<const FieldSetEntry>();
}

}  // namespace

std::strong_ordering compare(const PathElement& a, const PathElement& b) {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  return a.kind == PathElement::Kind::kField ? a.text <=> b.text : compare_canonical(a.text, b.text);
}

std::string to_string(const PathElement& element) {
  if (element.kind == PathElement::Kind::kField) return str_cat(".", element.text);
  const auto json = Json::parse(element.text);
  CHECK(json.is_ok()) << "path elements hold canonical JSON: " << element.text;
  if (element.kind == PathElement::Kind::kValue) return str_cat("[=", value_text(*json), "]");
  if (element.kind == PathElement::Kind::kIndex) return str_cat("[", element.text, "]");
  std::vector<std::string> parts;
  for (const auto& member : json->members()) parts.push_back(str_cat(member.key, "=", value_text(member.value)));
  return str_cat("[", api::join(parts, ","), "]");
}

const FieldSetEntry* FieldSet::find(const PathElement& element) const {
  const auto all = entries();
  if (all.size() <= 8) {
    for (const FieldSetEntry& entry : all)
      if (entry.element == element) return &entry;
    return nullptr;
  }
  const auto it = std::lower_bound(all.begin(), all.end(), FieldSetEntry{element}, element_less);
  return it != all.end() && it->element == element ? &*it : nullptr;
}

std::string_view FieldSetPool::keep(std::string_view text) {
  if (text.empty()) return {};
  auto* copy = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

const FieldSet* FieldSetPool::make(std::span<const FieldSetEntry> sorted) {
  if (sorted.empty()) return nullptr;
  auto* entries = static_cast<FieldSetEntry*>(memory_.allocate(sorted.size_bytes(), alignof(FieldSetEntry)));
  std::uninitialized_copy(sorted.begin(), sorted.end(), entries);
  return new (memory_.allocate(sizeof(FieldSet), alignof(FieldSet))) FieldSet(entries, sorted.size());
}

const FieldSet* FieldSetPool::make_unsorted(std::span<FieldSetEntry> entries) {
  if (!std::is_sorted(entries.begin(), entries.end(), element_less))
    std::sort(entries.begin(), entries.end(), element_less);
  size_t size = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (size > 0 && entries[size - 1].element == entries[i].element) {
      entries[size - 1].member |= entries[i].member;
      entries[size - 1].below = unite(entries[size - 1].below, entries[i].below);
    } else {
      entries[size++] = entries[i];
    }
  }
  return make(entries.first(size));
}

const FieldSet* FieldSetPool::path(std::span<const PathElement> steps) {
  const FieldSet* set = nullptr;
  for (size_t i = steps.size(); i-- > 0;) {
    const FieldSetEntry entry{steps[i], set == nullptr, set};
    set = make({&entry, 1});
  }
  return set;
}

const FieldSet* FieldSetPool::unite(const FieldSet* a, const FieldSet* b) {
  if (!a || a == b) return b;
  if (!b) return a;
  std::vector<FieldSetEntry> out;
  auto i = a->entries().begin();
  auto j = b->entries().begin();
  const auto i_end = a->entries().end();
  const auto j_end = b->entries().end();
  out.reserve(a->entries().size() + b->entries().size());
  while (i != i_end && j != j_end) {
    const auto order = compare(i->element, j->element);
    if (order < 0) {
      out.push_back(*i++);
    } else if (order > 0) {
      out.push_back(*j++);
    } else {
      out.push_back({i->element, i->member || j->member, unite(i->below, j->below)});
      ++i, ++j;
    }
  }
  out.insert(out.end(), i, i_end);
  out.insert(out.end(), j, j_end);
  return make(out);
}

const FieldSet* FieldSetPool::subtract(const FieldSet* a, const FieldSet* b) {
  if (!a || !b) return a;
  std::vector<FieldSetEntry> out;
  bool changed = false;
  for (FieldSetEntry entry : a->entries()) {
    if (const FieldSetEntry* other = b->find(entry.element)) {
      const FieldSetEntry before = entry;
      entry.member = entry.member && !other->member;
      entry.below = subtract(entry.below, other->below);
      changed |= entry.member != before.member || entry.below != before.below;
    }
    if (entry.member || entry.below) out.push_back(entry);
  }
  return changed ? make(out) : a;
}

const FieldSet* FieldSetPool::subtract_below(const FieldSet* a, const FieldSet* b) {
  if (!a || !b) return a;
  std::vector<FieldSetEntry> out;
  bool changed = false;
  for (FieldSetEntry entry : a->entries()) {
    if (const FieldSetEntry* other = b->find(entry.element)) {
      const FieldSetEntry before = entry;
      entry.member = entry.member && !other->member;
      entry.below = other->member ? nullptr : subtract_below(entry.below, other->below);
      changed |= entry.member != before.member || entry.below != before.below;
    }
    if (entry.member || entry.below) out.push_back(entry);
  }
  return changed ? make(out) : a;
}

const FieldSet* FieldSetPool::intersect(const FieldSet* a, const FieldSet* b) {
  if (!a || !b || a == b) return b ? a : nullptr;
  std::vector<FieldSetEntry> out;
  for (const FieldSetEntry& entry : a->entries()) {
    const FieldSetEntry* other = b->find(entry.element);
    if (!other) continue;
    const FieldSetEntry both{entry.element, entry.member && other->member, intersect(entry.below, other->below)};
    if (both.member || both.below) out.push_back(both);
  }
  return make(out);
}

const FieldSet* below(const FieldSet* set, const PathElement& element) {
  const FieldSetEntry* entry = set ? set->find(element) : nullptr;
  return entry ? entry->below : nullptr;
}

bool has_member(const FieldSet* set, const PathElement& element) {
  const FieldSetEntry* entry = set ? set->find(element) : nullptr;
  return entry && entry->member;
}

bool has_path(const FieldSet* set, std::span<const PathElement> steps) {
  for (; steps.size() > 1; steps = steps.subspan(1)) set = below(set, steps.front());
  return !steps.empty() && has_member(set, steps.front());
}

namespace {

void append_paths(const FieldSet* set, const std::string& prefix, std::vector<std::string>& out) {
  for (const FieldSetEntry& entry : entries_of(set))
    if (entry.member) out.push_back(prefix + to_string(entry.element));
  for (const FieldSetEntry& entry : entries_of(set))
    if (entry.below) append_paths(entry.below, prefix + to_string(entry.element), out);
}

}  // namespace

void append_paths(const FieldSet* set, std::vector<std::string>& out) { append_paths(set, "", out); }

}  // namespace orrery::server::managed
