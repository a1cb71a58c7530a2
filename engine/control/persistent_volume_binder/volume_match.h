#pragma once

#include <string_view>

#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"
#include "engine/api/object.h"

namespace orrery::control {

/// Which volumes do for a claim. Source: Kubernetes v1.32 component-helpers/storage/volume and
/// pkg/controller/volume/persistentvolume/index.go.

/// The class by name, "" for none; the beta annotation goes before the field.
Str class_of(const corev1::PersistentVolumeClaim& claim);
Str class_of(const corev1::PersistentVolume& volume);
/// The claim says which class it wants, if only none.
bool names_a_class(const corev1::PersistentVolumeClaim& claim);
/// The volume's claimRef is this claim: by name, and by uid if it has one.
bool is_bound_to(const corev1::PersistentVolume& volume,
                 const corev1::PersistentVolumeClaim& claim);
/// One is a file system, the other a block device.
bool modes_differ(const corev1::PersistentVolumeClaim& claim,
                  const corev1::PersistentVolume& volume);
/// Whether a claim may have the volume it asks for by name; the message says why not.
Status check_fit(const corev1::PersistentVolume& volume,
                 const corev1::PersistentVolumeClaim& claim);

/// Finds the best volume for a claim that names none: of those with the fewest access modes the
/// one that is bound to the claim already, else the smallest, else the first by name.
class VolumeMatch {
 public:
  /// `claim` stays alive. With `delay_binding` only volumes that are bound to it already count.
  VolumeMatch(const corev1::PersistentVolumeClaim& claim, bool delay_binding);

  void consider(const api::Object& volume);
  /// The best of those considered; null: none does.
  const api::Object& best() const { return best_; }
  /// The claim asks for what cannot be answered; told only if a volume has its access modes.
  const Status& failure() const { return failure_; }

 private:
  bool fits(const corev1::PersistentVolume& volume) const;
  bool is_better(const corev1::PersistentVolume& volume) const;

  const corev1::PersistentVolumeClaim& claim_;
  bool delay_binding_;
  Str class_;
  api::Quantity requested_;
  Result<api::Selector> selector_;
  api::Object best_;
  Status failure_;
};

}  // namespace orrery::control
