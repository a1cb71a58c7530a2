#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/str_pool.h"
#include "engine/control/garbage_collector/absent_owners.h"
#include "engine/control/garbage_collector/identity.h"
#include "engine/ports/api.h"
#include "engine/runtime/key_table.h"

namespace orrery::control {

/// Who owns whom, by uid, among the objects that own or are owned or are being deleted: about 100
/// bytes each. What is told of them brings it up to date, and says which of them have to be looked
/// at. Kubernetes v1.32 pkg/controller/garbagecollector/graph_builder.go.
///
/// An owner that only a reference names is a *virtual* node until the owner itself is seen. Where
/// two disagree on its coordinates, each is tried in turn.
///
/// Plain copyable state.
class OwnerGraph {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Node {
    Identity identity;
    List<metav1::OwnerReference> owners;
    std::vector<uint32_t> dependents;  // slots
    bool is_virtual = false;           // named, but never seen
    bool going = false;                // being deleted
    bool deletes_dependents = false;   // ... when its dependents are gone
    bool orphans_dependents = false;   // ... when its dependents have forgotten it
  };
  /// What has to be looked at.
  struct Wish {
    Str uid;
    bool orphan = false;  // its dependents are to be orphaned; else it may have to go
    bool later = false;   // after a back-off
  };
  /// An owner reference that cannot be right: its owner lives in another namespace.
  struct WrongNamespace {
    Identity dependent;
    Identity owner;  // as the dependent names it
  };
  /// What is known of an owner before anything is told of it; null: nothing.
  using Lookup = std::function<api::Object(const metav1::OwnerReference& owner, const Str& ns)>;

  void seen(const api::Object& object, const Lookup& lookup);
  void gone(const api::Object& object);
  /// The API does not know `identity`: what names it so is an orphan.
  void not_found(const Identity& identity);

  uint32_t find(const Str& uid) const { return by_uid_.find(uid); }
  const Node& node(uint32_t slot) const { return nodes_[slot]; }
  size_t size() const { return by_uid_.size(); }
  /// Uids of dependents that keep an owner in foreground deletion.
  std::vector<uint32_t> blocking_dependents(const Node& owner) const;

  std::vector<Wish> take_wishes() { return std::exchange(wishes_, {}); }
  std::vector<WrongNamespace> take_wrong_namespaces() { return std::exchange(wrong_, {}); }
  AbsentOwners& absent() { return absent_; }

 private:
  struct Partition {
    std::vector<uint32_t> matching, others;
  };
  Identity identity_of(const api::Object& object);
  uint32_t insert(const Str& uid);
  void observe(uint32_t slot, const api::Object& object);
  void update_owners(uint32_t slot, const List<metav1::OwnerReference>& fresh,
                     const Lookup& lookup);
  void add_to_owners(uint32_t slot, const std::vector<metav1::OwnerReference>& owners,
                     const Lookup& lookup);
  bool doubtful(uint32_t slot, const metav1::OwnerReference& reference, uint32_t owner);
  void remove_from_owners(uint32_t slot, const List<metav1::OwnerReference>& owners);
  void unblock(const metav1::OwnerReference& reference);
  void note_transitions(uint32_t slot, const metav1::ObjectMeta& meta);
  Partition partition(const Node& owner, const Identity& identity) const;
  bool another_name(const std::vector<uint32_t>& dependents, const Identity& absent,
                    Identity& name) const;
  void remove(uint32_t slot, const Identity& identity);
  void wish(uint32_t slot) { wishes_.push_back({nodes_[slot].identity.uid, false, false}); }
  void wish_all(const std::vector<uint32_t>& slots);
  void report(uint32_t slot, const Str& owner);

  KeyTable<Str> by_uid_;
  std::vector<Node> nodes_;  // by slot
  StrPool texts_;            // versions and kinds
  AbsentOwners absent_;
  std::vector<Wish> wishes_;
  std::vector<WrongNamespace> wrong_;
};

}  // namespace orrery::control
