#pragma once

#include <string>
#include <vector>

#include "engine/api/object.h"

namespace orrery::api {

/// Equality as Kubernetes' apiequality.Semantic sees it: a nil and an empty list or map are equal,
/// an absent and an empty struct are not, quantities compare by value.
bool semantic_equal(const TypeDesc& type, const void* a, const void* b);
bool semantic_equal(const Object& a, const Object& b);
template <typename T>
bool semantic_equal(const T& a, const T& b) {
  return semantic_equal(T::descriptor(), &a, &b);
}

/// Equality as Go's reflect.DeepEqual sees an object that was sent and one read from storage: the
/// stored form knows no list or map that is empty but not nil, so a sent one differs from all that is
/// stored.
bool equals_stored(const TypeDesc& type, const void* sent, const void* stored);
template <typename T>
bool equals_stored(const T& sent, const T& stored) {
  return equals_stored(T::descriptor(), &sent, &stored);
}

/// A hash that agrees with semantic_equal; the same on every machine.
uint64_t semantic_hash(const TypeDesc& type, const void* object);
uint64_t semantic_hash(const Object& object);

/// One difference: where, and both values as JSON text ("" where there is none).
struct Difference {
  std::string path;
  std::string before;
  std::string after;
};
/// All differences between the JSON forms, in schema order.
std::vector<Difference> diff(const Object& before, const Object& after);

}  // namespace orrery::api
