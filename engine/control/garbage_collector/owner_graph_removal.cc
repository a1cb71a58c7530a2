// Objects that go, and owners that turn out never to have been.
#include <algorithm>

#include "engine/control/garbage_collector/owner_graph.h"

namespace orrery::control {

void OwnerGraph::gone(const api::Object& object) {
  const uint32_t slot = find(object.meta().uid);
  if (slot != kNone) remove(slot, identity_of(object));
}

void OwnerGraph::remove(uint32_t slot, const Identity& identity) {
  const Node node = std::move(nodes_[slot]);
  nodes_[slot] = Node();
  by_uid_.erase(slot);
  remove_from_owners(slot, node.owners);
  if (!node.dependents.empty()) absent_.add(identity);
  for (const uint32_t dependent : node.dependents)
    if (dependent != slot) wish(dependent);  // a node may own itself
  for (const auto& reference : node.owners) {
    const uint32_t owner = find(reference.uid);
    if (owner != kNone && nodes_[owner].deletes_dependents) wish(owner);
  }
}

void OwnerGraph::not_found(const Identity& identity) {
  const uint32_t slot = find(identity.uid);
  if (slot == kNone) return;
  const bool is_virtual = nodes_[slot].is_virtual, same = nodes_[slot].identity == identity;
  if (!is_virtual && same) return remove(slot, identity);
  const Partition named = partition(nodes_[slot], identity);
  if (is_virtual && named.others.empty()) return remove(slot, identity);
  if (!named.matching.empty()) {
    absent_.add(identity);
    wish_all(named.matching);
  }
  Identity name;
  if (!is_virtual || !same || !another_name(named.others, identity, name)) return;
  nodes_[slot].identity = name;
  wishes_.push_back({name.uid, false, true});
}

OwnerGraph::Partition OwnerGraph::partition(const Node& owner, const Identity& identity) const {
  Partition out;
  for (const uint32_t slot : owner.dependents) {
    const Node& dependent = nodes_[slot];
    const bool elsewhere = !identity.ns.empty() && identity.ns != dependent.identity.ns;
    bool matches = false, differs = elsewhere;
    for (const auto& reference : dependent.owners) {
      if (elsewhere || reference.uid != identity.uid) continue;
      (identity.matches(reference) ? matches : differs) = true;
    }
    if (matches) out.matching.push_back(slot);
    if (differs) out.others.push_back(slot);
  }
  return out;
}

/// The name after `absent`, of those that the dependents give, else the first; false: there is
/// none.
bool OwnerGraph::another_name(const std::vector<uint32_t>& dependents, const Identity& absent,
                              Identity& name) const {
  const bool in_no_namespace = absent.ns.empty();
  const Identity *first = nullptr, *following = nullptr;
  std::vector<Identity> names;
  for (const uint32_t slot : dependents) {
    const Node& dependent = nodes_[slot];
    for (const auto& reference : dependent.owners) {
      if (reference.uid != absent.uid) continue;
      if (absent.matches(reference) && (in_no_namespace || absent.ns == dependent.identity.ns))
        continue;
      names.push_back(Identity::of(reference, dependent.identity.ns));
      Identity& candidate = names.back();
      if (in_no_namespace && candidate.api_version == absent.api_version &&
          candidate.kind == absent.kind)
        candidate.ns = Str();
    }
  }
  for (const Identity& candidate : names) {
    if (candidate == absent) continue;
    if (!first || candidate.precedes(*first)) first = &candidate;
    if (absent.precedes(candidate) && (!following || candidate.precedes(*following)))
      following = &candidate;
  }
  if (!first) return false;
  name = following ? *following : *first;
  return true;
}

}  // namespace orrery::control
