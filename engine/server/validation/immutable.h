#pragma once

#include "engine/api/object.h"

namespace orrery::server {

/// The differences of two structs, one a line: what follows a refusal to change an immutable spec.
std::string difference_text(const api::Object& before, const api::Object& after);
template <typename T>
std::string difference_text(const T& before, const T& after) {
  return difference_text(api::Object::of(before), api::Object::of(after));
}

}  // namespace orrery::server
