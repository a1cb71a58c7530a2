#include "engine/control/persistent_volume_binder/claim_sync.h"

#include "engine/api/gen/storagev1.h"
#include "engine/api/names.h"
#include "engine/control/common/csi_migration.h"
#include "engine/control/persistent_volume_binder/volume_match.h"

namespace orrery::control {
namespace {

using corev1::PersistentVolume;
using corev1::PersistentVolumeClaim;

std::string quoted_key(const api::Object& object) {
  return api::quoted(api::object_key(object.meta()));
}

/// Whether a class of that provisioner is served from outside of the control plane.
bool is_external(std::string_view provisioner) {
  return !provisioner.starts_with("kubernetes.io/") || !csi_driver_of(provisioner).empty();
}

}  // namespace

Status ClaimSync::run() {
  if (!claim_) return Status();
  ORRERY_TRY(mark_driver());
  return has_annotation(claim_, kBindCompleted) ? sync_bound() : sync_unbound();
}

Status ClaimSync::mark_driver() {
  Map<Str> annotations = claim_.meta().annotations;
  const Str* provisioner = annotations.find(kProvisioner);
  if (!provisioner) provisioner = annotations.find(kBetaProvisioner);
  if (!mark_migration(annotations, provisioner)) return Status();
  claim_.mut_meta().annotations = std::move(annotations);
  return write(claim_);
}

Status ClaimSync::sync_unbound() {
  if (!claim().spec->volume_name.empty()) return sync_named_volume();
  ORRERY_TRY(in_.search_failure);
  if (!in_.best_volume) return sync_without_volume();
  volume_ = in_.best_volume;
  return bind();
}

Status ClaimSync::sync_without_volume() {
  if (!in_.default_class.empty() && !names_a_class(claim())) return assign_default_class();
  if (in_.delay_binding && !has_annotation(claim_, kSelectedNode)) {
    tell_whom_it_waits_for();
  } else if (!class_of(claim()).empty()) {
    return provision();
  } else {
    event(claim_, "Normal", "FailedBinding",
          "no persistent volumes available for this claim and no storage class is set");
  }
  return set_status("Pending");
}

// The next sync goes on with it.
Status ClaimSync::assign_default_class() {
  claim_.mut<PersistentVolumeClaim>().spec.mut().storage_class_name = Opt<Str>(in_.default_class);
  const Status written = write(claim_);
  return written ? written
                 : written.with_context(
                       str_cat("can't update PersistentVolumeClaim[", quoted_key(claim_), "]"));
}

void ClaimSync::tell_whom_it_waits_for() {
  if (in_.pods.empty())
    return event(claim_, "Normal", "WaitForFirstConsumer",
                 "waiting for first consumer to be created before binding");
  event(claim_, "Normal", "WaitForPodScheduled", [&] {
    std::string names;
    for (const Str& pod : in_.pods) names += str_cat(names.empty() ? "" : ",", pod);
    return str_cat("waiting for ", in_.pods.size() > 1 ? "pods " : "pod ", names,
                   " to be scheduled");
  });
}

Status ClaimSync::provision() {
  const auto fail = [&](const std::string& why) {
    event(claim_, "Warning", "ProvisioningFailed", why);
    return Status();
  };
  if (!in_.storage_class)
    return fail(
        str_cat("storageclass.storage.k8s.io ", api::quoted(class_of(claim())), " not found"));
  Str provisioner = in_.storage_class.get<storagev1::StorageClass>().provisioner;
  if (!is_external(provisioner))
    return fail(str_cat("no volume plugin matched name: ", provisioner));
  if (const auto driver = csi_driver_of(provisioner); !driver.empty()) provisioner = Str(driver);
  const Str* told = claim_.meta().annotations.find(kProvisioner);
  if (!told || *told != provisioner) {
    auto& annotations = claim_.mut_meta().annotations;
    annotations.set(kBetaProvisioner, provisioner);
    annotations.set(kProvisioner, provisioner);
    mark_migration(annotations, &provisioner);
    ORRERY_TRY(write(claim_));
  }
  event(claim_, "Normal", "ExternalProvisioning", [&] {
    return str_cat("Waiting for a volume to be created either by the external provisioner '",
                   provisioner,
                   "' or manually by the system administrator. If volume creation is delayed, "
                   "please verify that the provisioner is running and correctly registered.");
  });
  return Status();
}

Status ClaimSync::sync_named_volume() {
  if (!volume_) return set_status("Pending");
  const auto warn = [&](std::string_view reason, const std::string& message) {
    event(claim_, "Warning", reason, message);
    return set_status("Pending");
  };
  if (!volume().spec->claim_ref) {
    const Status fit = check_fit(volume(), claim());
    if (fit) return bind();
    return warn("VolumeMismatch", str_cat("Cannot bind to requested volume ",
                                          api::quoted(volume_.meta().name), ": ", fit.message()));
  }
  if (is_bound_to(volume(), claim())) return bind();
  const std::string taken =
      str_cat("volume ", api::quoted(volume_.meta().name), " already bound to a different claim.");
  if (!has_annotation(claim_, kBoundByController)) return warn("FailedBinding", taken);
  event(claim_, "Warning", "FailedBinding", taken);
  const auto& other = *volume().spec->claim_ref;
  return internal_error(str_cat("invalid binding of claim ", quoted_key(claim_), " to volume ",
                                api::quoted(claim().spec->volume_name),
                                ": volume already claimed by ",
                                api::quoted(api::object_key(other.namespace_, other.name))));
}

Status ClaimSync::sync_bound() {
  if (claim().spec->volume_name.empty())
    return lose("ClaimLost",
                "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  if (!volume_)
    return lose("ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const auto* ref = volume().spec->claim_ref.get();
  if (!ref || ref->uid == claim_.meta().uid) return bind();
  return lose("ClaimMisbound",
              "Two claims are bound to the same volume, this one is bound incorrectly");
}

Status ClaimSync::lose(std::string_view reason, std::string_view message) {
  if (claim().status->phase == "Lost") return Status();
  ORRERY_TRY(set_status("Lost"));
  event(claim_, "Warning", reason, message);
  return Status();
}

// Each step is done if it is not yet: a sync that was cut short goes on where it stood.
Status ClaimSync::bind() {
  ORRERY_TRY(bind_volume());
  ORRERY_TRY(set_volume_phase("Bound"));
  ORRERY_TRY(bind_claim());
  return set_status("Bound", &volume());
}

Status ClaimSync::bind_volume() {
  const auto* ref = volume().spec->claim_ref.get();
  const auto& meta = claim_.meta();
  const bool complete =
      ref && ref->name == meta.name && ref->namespace_ == meta.namespace_ && ref->uid == meta.uid;
  const bool marks =
      !is_bound_to(volume(), claim()) && !has_annotation(volume_, kBoundByController);
  if (complete && !marks) return Status();
  if (!complete) {
    corev1::ObjectReference made;
    made.kind = "PersistentVolumeClaim";
    made.api_version = "v1";
    made.namespace_ = meta.namespace_;
    made.name = meta.name;
    made.uid = meta.uid;
    made.resource_version = meta.resource_version;
    volume_.mut<PersistentVolume>().spec.mut().claim_ref.mut() = std::move(made);
  }
  if (marks) volume_.mut_meta().annotations.set(kBoundByController, "yes");
  return write(volume_);
}

Status ClaimSync::bind_claim() {
  const bool binds = claim().spec->volume_name != volume_.meta().name;
  if (!binds && has_annotation(claim_, kBindCompleted)) return Status();
  if (binds) {
    claim_.mut<PersistentVolumeClaim>().spec.mut().volume_name = volume_.meta().name;
    if (!has_annotation(claim_, kBoundByController))
      claim_.mut_meta().annotations.set(kBoundByController, "yes");
  }
  if (!has_annotation(claim_, kBindCompleted))
    claim_.mut_meta().annotations.set(kBindCompleted, "yes");
  return write(claim_);
}

// A claim that was bound before keeps its capacity: its file system may be smaller than the volume.
Status ClaimSync::set_status(std::string_view phase, const PersistentVolume* volume) {
  const auto& before = *claim().status;
  corev1::PersistentVolumeClaimStatus status = before;
  status.phase = phase;
  if (!volume) {
    status.access_modes.reset();
    status.capacity.reset();
  } else {
    status.access_modes = volume->spec->access_modes;
    if (before.phase != phase) {
      const auto* size = volume->spec->capacity.find("storage");
      if (!size)
        return internal_error(str_cat("PersistentVolume ", api::quoted(volume->metadata->name),
                                      " is without a storage capacity"));
      const auto* known = before.capacity.find("storage");
      if (!known || *known != *size) status.capacity = volume->spec->capacity;
      // The file system of a volume that was resized before it was bound is as large as it was.
      const auto earlier =
          api::Quantity::parse(volume->metadata->annotations.get(kPreResizeCapacity));
      if (earlier.is_ok()) status.capacity.set("storage", *earlier);
    }
  }
  const bool same = before.phase == status.phase && before.access_modes == status.access_modes &&
                    before.capacity == status.capacity;
  if (same) return Status();
  claim_.mut<PersistentVolumeClaim>().status.mut() = std::move(status);
  return write(claim_, "status");
}

}  // namespace orrery::control
