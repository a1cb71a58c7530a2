#pragma once

#include <cstdint>
#include <vector>

#include "engine/api/label_selector.h"
#include "engine/control/replicaset/replica_status.h"
#include "engine/runtime/informer.h"

namespace orrery::control {

/// Counts of the pods that each ReplicaSet controls, kept up to date by changes of single pods, so
/// that a sync in which nothing is to be done costs the same for 5 pods and for 5,000.
class PodTally {
 public:
  struct Entry {
    PodCounts counts;    // active pods that it controls and selects; available is that of
                         // minReadySeconds 0
    int32_t strays = 0;  // active pods that it controls and no longer selects
    /// There may be orphans that it selects. Set by changes of orphans, cleared by who looks.
    bool orphans = true;
  };

  /// `rs` as a ReplicaSet; new, changed, or gone.
  void owner_changed(const api::Object& rs);
  void owner_gone(const Str& uid);
  void pod_changed(const Change& change);
  /// The entry of a known owner, counted anew from `pods` if its selector or template has changed.
  Entry& entry(const Str& uid, const Informer& pods, size_t controller_index);
  /// The owner's selector, nullptr if it is not known or not valid.
  const api::Selector* selector(const Str& uid) const;

 private:
  struct Owner {
    Ref<appsv1::ReplicaSetSpec> spec;
    api::Selector selector;
    api::Selector template_labels;
    bool selector_valid = false;
    bool counted = false;
    Entry entry;
  };
  static void add(Owner& owner, const corev1::Pod& pod, int32_t sign);
  void pod_state(const api::Object& pod, int32_t sign);

  KeyTable<Str> by_uid_;
  std::vector<Owner> owners_;  // by slot
};

}  // namespace orrery::control
