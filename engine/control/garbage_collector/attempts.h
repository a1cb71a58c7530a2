#pragma once

#include <vector>

#include "engine/control/garbage_collector/identity.h"
#include "engine/control/garbage_collector/patches.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// An item of the graph with what an attempt has to know of its surroundings, at one moment.
struct AttemptInputs {
  struct Dependent {
    Identity identity;
    const api::KindDesc* kind = nullptr;
    bool deletes_dependents = false;
  };
  struct Owner {
    metav1::OwnerReference reference;
    const api::KindDesc* kind = nullptr;
    bool known_absent = false;
  };
  Identity identity;
  const api::KindDesc* kind = nullptr;  // nullptr: there is none of that name
  bool in_graph = false;
  bool orphan = false;  // its dependents are to be orphaned; else it may have to go
  bool is_virtual = false;
  bool going = false;
  bool deletes_dependents = false;
  OwnerReferences owners;
  std::vector<Owner> owner_kinds;        // of `owners`, by index
  bool has_dependents = false;
  bool dependent_deletes = false;        // one of them deletes its own dependents
  std::vector<Dependent> dependents;     // orphan: all; deletes_dependents: those that block
};

/// What an attempt finds out besides what it writes. Called once each.
class AttemptEffects {
 public:
  virtual ~AttemptEffects() = default;
  virtual void on_absent(const Identity& owner) = 0;
  /// The item itself does not exist under its coordinates.
  virtual void on_not_found(const Identity& item) = 0;
  /// A dependent that keeps the item from going.
  virtual void on_blocking(const Identity& dependent) = 0;
};

/// How the owners of an item stand, as uids.
struct OwnerClasses {
  std::vector<Str> solid, dangling, waiting;  // waiting: for the deletion of their dependents
};
/// Failure: an owner of an unknown kind, an impossible reference, or a failed request.
Status classify_owners(const AttemptInputs& item, const OwnerReferences& references, WriteLog& log,
                       AttemptEffects& effects, OwnerClasses& classes);

/// Deletes the item if all its owners are gone, takes dead references away if some are, and ends
/// foreground deletion. Kubernetes v1.32 pkg/controller/garbagecollector/garbagecollector.go,
/// attemptToDeleteItem.
Status attempt_to_delete(const AttemptInputs& item, WriteLog& log, AttemptEffects& effects);
/// A failure that trying again would not mend: there is no such item, or a cluster-scoped item that
/// names a namespaced owner.
bool is_final(const Status& failure);

/// Takes the item out of the references of its dependents, then its finalizer away.
/// Kubernetes v1.32 ... attemptToOrphanWorker.
Status attempt_to_orphan(const AttemptInputs& item, WriteLog& log);

/// The kind may be known later.
Status unknown_kind(const Identity& object);

/// Removes a finalizer from an object, on newer states as long as that conflicts.
Status remove_finalizer(const Identity& object, const api::KindDesc& kind,
                        std::string_view finalizer, WriteLog& log);

}  // namespace orrery::control
