#pragma once

#include <map>

#include "engine/api/object.h"

namespace orrery::control {

/// What a controller has written and its caches have not seen yet: decisions that follow a write at
/// once have to know of it. Keys are those of caches; plain state.
class WrittenObjects {
 public:
  /// `cached` is what the cache has of it; nullptr: it is gone again.
  void written(const api::Object& object, const api::Object* cached) {
    if (cached && is_older(*cached, object)) newer_[api::object_key(object.meta())] = object;
  }
  void seen(const api::Object& cached) {
    const auto found = newer_.find(api::object_key(cached.meta()));
    if (found != newer_.end() && !is_older(cached, found->second)) newer_.erase(found);
  }
  void gone(const api::Object& last) { newer_.erase(api::object_key(last.meta())); }
  /// The newest that is known of what a cache has.
  const api::Object& newest(const api::Object& cached) const {
    if (newer_.empty()) return cached;
    const auto found = newer_.find(api::object_key(cached.meta()));
    return found == newer_.end() ? cached : found->second;
  }

 private:
  // Versions of one store are numbers that grow.
  static bool is_older(const api::Object& a, const api::Object& b) {
    const Str &one = a.meta().resource_version, &other = b.meta().resource_version;
    return one.size() != other.size() ? one.size() < other.size() : one < other;
  }

  std::map<Str, api::Object> newer_;
};

}  // namespace orrery::control
