#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/api/json_encoder.h"
#include "engine/api/object.h"

namespace orrery::api {

/// Objects that were made from one template have most of their parts in common. A pool of such parts
/// (lists, maps and structs that are blocks of their own, and texts) lets them share one block each,
/// and keeps its JSON, so that ten thousand pods cost little more memory than their names and are
/// written without being walked through. What is seen once is not kept, only its hash: a part enters
/// the pool when it is seen for the second time. Parts are equal if their fields' JSON is: objects
/// that are shared must not tell nil lists from empty ones (drop_empty_lists).
///
/// A cache beside what it serves: a copy of it is empty.
class SharedParts {
 public:
  SharedParts();
  SharedParts(const SharedParts&) : SharedParts() {}
  SharedParts& operator=(const SharedParts&) { return *this; }
  ~SharedParts();

  /// Puts the pool's parts in place of the object's equal ones.
  void share(Object& object);
  /// The JSON of a block of the pool, nullptr if it is none.
  const std::string* json_of(const CowBlock* block) const {
    const auto found = by_block_.find(block);
    return found == by_block_.end() ? nullptr : &found->second->json;
  }
  size_t size() const { return by_block_.size(); }

 private:
  struct Part {
    const FieldDesc* field;
    CowBlock* block;  // one reference is the pool's
    std::string json;
  };
  void share_struct(const TypeDesc& type, void* object);
  void share_field(const FieldDesc& field, void* object);
  void share_within(const FieldDesc& field, void* object);
  void share_text(Str& text);
  bool seen(uint64_t hash);
  void sweep();

  std::unordered_map<uint64_t, std::unique_ptr<Part>> by_hash_;
  std::unordered_map<const CowBlock*, const Part*> by_block_;
  std::unordered_set<Str> texts_;
  std::vector<uint64_t> seen_once_;  // the newest hash in each place
  size_t sweep_at_;
  JsonEncoder encoder_;
};

}  // namespace orrery::api
