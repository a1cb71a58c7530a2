#pragma once

#include <functional>
#include <string_view>

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"
#include "engine/control/persistent_volume_binder/binder_inputs.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// Annotations of volumes and claims. Source: Kubernetes v1.32 component-helpers/storage/volume.
inline const Str kBindCompleted = Str::literal("pv.kubernetes.io/bind-completed");
inline const Str kBoundByController = Str::literal("pv.kubernetes.io/bound-by-controller");
inline const Str kProvisionedBy = Str::literal("pv.kubernetes.io/provisioned-by");
inline const Str kSelectedNode = Str::literal("volume.kubernetes.io/selected-node");
inline const Str kProvisioner = Str::literal("volume.kubernetes.io/storage-provisioner");
inline const Str kPreResizeCapacity =
    Str::literal("volume.alpha.kubernetes.io/pre-resize-capacity");
inline const Str kBetaProvisioner = Str::literal("volume.beta.kubernetes.io/storage-provisioner");

/// What syncs tell the controller, besides their writes.
struct BinderHooks {
  std::function<void(const api::Object&)> written;       // an object as it was answered
  std::function<void(const Str&)> look_at_claim_of_key;  // this claim has to be synced too
};

/// What syncs of claims and of volumes share. Source: Kubernetes v1.32
/// pkg/controller/volume/persistentvolume/pv_controller.go.
class BinderSync {
 protected:
  BinderSync(const BinderInputs& in, WriteLog& log, const BinderHooks& hooks)
      : in_(in), log_(log), hooks_(hooks), claim_(in.claim), volume_(in.volume) {}

  const corev1::PersistentVolumeClaim& claim() const {
    return claim_.get<corev1::PersistentVolumeClaim>();
  }
  const corev1::PersistentVolume& volume() const { return volume_.get<corev1::PersistentVolume>(); }
  static bool has_annotation(const api::Object& object, const Str& name) {
    return object.meta().annotations.contains(name);
  }
  /// Writes `object`, which becomes what is answered.
  Status write(api::Object& object, std::string_view subresource = "");
  Status set_volume_phase(std::string_view phase, std::string_view message = "");
  template <typename Message>
  void event(const api::Object& about, std::string_view type, std::string_view reason,
             const Message& message) {
    log_.event(about, type, reason, message);
  }

  const BinderInputs& in_;
  WriteLog& log_;
  const BinderHooks& hooks_;
  api::Object claim_, volume_;  // as they have become
};

}  // namespace orrery::control
