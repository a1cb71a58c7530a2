// What is seen of objects: nodes come, owners change, deletions begin.
#include "engine/control/garbage_collector/owner_graph.h"

#include <algorithm>

namespace orrery::control {
namespace {

bool blocks(const metav1::OwnerReference& reference) {
  return reference.block_owner_deletion.value_or(false);
}

const metav1::OwnerReference* find_reference(const List<metav1::OwnerReference>& list,
                                             const Str& uid) {
  for (const auto& reference : list)
    if (reference.uid == uid) return &reference;
  return nullptr;
}

}  // namespace

Identity OwnerGraph::identity_of(const api::Object& object) {
  const auto& meta = object.meta();
  return {texts_.intern(object.kind()->api_version), texts_.intern(object.kind()->kind),
          meta.namespace_, meta.name, meta.uid};
}

uint32_t OwnerGraph::insert(const Str& uid) {
  const uint32_t slot = by_uid_.insert(uid).first;
  if (slot >= nodes_.size()) nodes_.resize(slot + 1);
  nodes_[slot] = Node();
  return slot;
}

void OwnerGraph::wish_all(const std::vector<uint32_t>& slots) {
  for (const uint32_t slot : slots) wish(slot);
}

void OwnerGraph::seen(const api::Object& object, const Lookup& lookup) {
  const auto& meta = object.meta();
  uint32_t slot = find(meta.uid);
  const bool known = slot != kNone;
  if (!known) {
    slot = insert(meta.uid);
    nodes_[slot].identity = identity_of(object);
    nodes_[slot].owners = meta.owner_references;
    add_to_owners(slot, {meta.owner_references.begin(), meta.owner_references.end()}, lookup);
  } else {
    if (nodes_[slot].is_virtual) observe(slot, object);
    update_owners(slot, meta.owner_references, lookup);
  }
  if (meta.deletion_timestamp) nodes_[slot].going = true;
  note_transitions(slot, meta);
}

// A virtual node turns out to be an object, perhaps under other coordinates than its first
// dependent has given: dependents that disagree are looked at.
void OwnerGraph::observe(uint32_t slot, const api::Object& object) {
  const Identity identity = identity_of(object);
  nodes_[slot].is_virtual = false;
  if (identity == nodes_[slot].identity) return;
  for (const uint32_t dependent : partition(nodes_[slot], identity).others) {
    if (!identity.ns.empty() && nodes_[dependent].identity.ns != identity.ns)
      report(dependent, identity.uid);
    wish(dependent);
  }
  nodes_[slot].identity = identity;
}

void OwnerGraph::update_owners(uint32_t slot, const List<metav1::OwnerReference>& fresh,
                               const Lookup& lookup) {
  const List<metav1::OwnerReference> old = nodes_[slot].owners;
  if (old.same(fresh)) return;
  std::vector<metav1::OwnerReference> added;
  List<metav1::OwnerReference> removed;
  for (const auto& reference : old) {
    const auto* now = find_reference(fresh, reference.uid);
    if (!now) removed.push_back(reference);
    if (blocks(reference) && (!now || !blocks(*now))) unblock(reference);
  }
  for (const auto& reference : fresh)
    if (!find_reference(old, reference.uid)) added.push_back(reference);
  nodes_[slot].owners = fresh;
  add_to_owners(slot, added, lookup);
  remove_from_owners(slot, removed);
}

void OwnerGraph::unblock(const metav1::OwnerReference& reference) {
  if (const uint32_t owner = find(reference.uid); owner != kNone) wish(owner);
}

void OwnerGraph::add_to_owners(uint32_t slot, const std::vector<metav1::OwnerReference>& owners,
                               const Lookup& lookup) {
  bool look = false;
  for (const auto& reference : owners) {
    uint32_t owner = find(reference.uid);
    const bool known = owner != kNone;
    if (!known) {
      const Str ns = nodes_[slot].identity.ns;
      const api::Object object = lookup(reference, ns);
      owner = insert(reference.uid);
      nodes_[owner].is_virtual = !object;
      nodes_[owner].identity = object ? identity_of(object) : Identity::of(reference, ns);
    }
    auto& dependents = nodes_[owner].dependents;
    if (dependents.empty() || dependents.back() != slot) dependents.push_back(slot);
    if (!known && nodes_[owner].is_virtual) {
      wish(owner);
    } else if (!look) {
      look = doubtful(slot, reference, owner);
    }
  }
  if (look) wish(slot);
}

/// The owner that the reference names may be another than the one with its uid.
bool OwnerGraph::doubtful(uint32_t slot, const metav1::OwnerReference& reference, uint32_t owner) {
  const Identity &dependent = nodes_[slot].identity, &known = nodes_[owner].identity;
  const bool seen = !nodes_[owner].is_virtual;
  if (!known.ns.empty() && known.ns != dependent.ns) {
    if (seen) report(slot, reference.uid);
    return true;
  }
  if (!known.matches(reference)) return true;
  return known.ns.empty() && !dependent.ns.empty() && !seen;
}

void OwnerGraph::remove_from_owners(uint32_t slot, const List<metav1::OwnerReference>& owners) {
  for (const auto& reference : owners) {
    const uint32_t owner = find(reference.uid);
    if (owner == kNone) continue;
    auto& dependents = nodes_[owner].dependents;
    const auto at = std::find(dependents.begin(), dependents.end(), slot);
    if (at == dependents.end()) continue;
    *at = dependents.back();
    dependents.pop_back();
  }
}

void OwnerGraph::note_transitions(uint32_t slot, const metav1::ObjectMeta& meta) {
  Node& node = nodes_[slot];
  const bool going = static_cast<bool>(meta.deletion_timestamp);
  const bool orphaned = node.orphans_dependents, deleted = node.deletes_dependents;
  node.orphans_dependents = going && api::has_finalizer(meta, "orphan");
  if (node.orphans_dependents && !orphaned) {
    wishes_.push_back({node.identity.uid, true, false});
    return;
  }
  if (deleted || !going || !api::has_finalizer(meta, "foregroundDeletion")) return;
  node.deletes_dependents = true;
  wish_all(node.dependents);
  wish(slot);
}

std::vector<uint32_t> OwnerGraph::blocking_dependents(const Node& owner) const {
  std::vector<uint32_t> blocking;
  for (const uint32_t dependent : owner.dependents) {
    const auto* reference = find_reference(nodes_[dependent].owners, owner.identity.uid);
    if (reference && blocks(*reference)) blocking.push_back(dependent);
  }
  return blocking;
}

void OwnerGraph::report(uint32_t slot, const Str& owner) {
  const Node& dependent = nodes_[slot];
  if (const auto* reference = find_reference(dependent.owners, owner))
    wrong_.push_back({dependent.identity, Identity::of(*reference, dependent.identity.ns)});
}

}  // namespace orrery::control
