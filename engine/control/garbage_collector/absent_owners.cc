#include "engine/control/garbage_collector/absent_owners.h"

#include <algorithm>

namespace orrery::control {

size_t AbsentOwners::Hash::operator()(const Identity& id) const {
  return hash_combine(hash_combine(id.uid.hash(), id.name.hash()), id.ns.hash());
}

void AbsentOwners::add(const Identity& owner) {
  used_[owner] = ++clock_;
  if (used_.size() <= kMax) return;
  used_.erase(std::min_element(used_.begin(), used_.end(), [](const auto& a, const auto& b) {
    return a.second < b.second;
  }));
}

bool AbsentOwners::has(const Identity& owner) {
  const auto known = used_.find(owner);
  if (known == used_.end()) return false;
  known->second = ++clock_;
  return true;
}

}  // namespace orrery::control
