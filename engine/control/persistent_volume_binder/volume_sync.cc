#include "engine/control/persistent_volume_binder/volume_sync.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/control/common/csi_migration.h"
#include "engine/control/persistent_volume_binder/volume_match.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using corev1::PersistentVolume;
using corev1::PersistentVolumeClaim;

constexpr std::string_view kInTree = "kubernetes.io/";
/// Keep volumes until their storage is deleted: by in-tree plugins, by external provisioners.
constexpr std::string_view kDeletionFinalizer = "kubernetes.io/pv-controller";
constexpr std::string_view kExternalFinalizer =
    "external-provisioner.volume.kubernetes.io/finalizer";

/// Finalizers that a provisioned volume should have (HonorPVReclaimPolicy).
List<Str> wanted_finalizers(const PersistentVolume& volume, std::string_view provisioner) {
  List<Str> finalizers = volume.metadata->finalizers;
  const auto drop = [&](std::string_view name) {
    finalizers.erase_if([&](const Str& one) { return one == name; });
  };
  if (!csi_driver_of(provisioner).empty()) {
    drop(kDeletionFinalizer);
    return finalizers;
  }
  if (!provisioner.starts_with(kInTree)) return finalizers;
  const Str& policy = volume.spec->persistent_volume_reclaim_policy;
  if (policy == "Delete" && !api::has_finalizer(*volume.metadata, kDeletionFinalizer))
    finalizers.push_back(Str(kDeletionFinalizer));
  if (policy == "Retain" || policy == "Recycle") drop(kDeletionFinalizer);
  drop(kExternalFinalizer);
  return finalizers;
}

bool has_gone_already(const PersistentVolume& volume) {
  return volume.status->phase == "Released" || volume.status->phase == "Failed";
}

}  // namespace

Status VolumeSync::run() {
  if (!volume_) return Status();
  ORRERY_TRY(mark_driver());
  const auto* ref = volume().spec->claim_ref.get();
  if (!ref || ref->uid.empty()) return set_volume_phase("Available");
  ORRERY_TRY(find_claim());
  if (!claim_) return release();
  if (claim().spec->volume_name.empty()) return await_claim();
  if (claim().spec->volume_name == volume_.meta().name) return set_volume_phase("Bound");
  // The claim is bound to another volume: what was provisioned for it is not needed.
  if (has_annotation(volume_, kProvisionedBy) &&
      volume().spec->persistent_volume_reclaim_policy == "Delete")
    return release();
  return unbind();
}

Status VolumeSync::mark_driver() {
  const Str* found = volume_.meta().annotations.find(kProvisionedBy);
  if (!found) return Status();
  const Str provisioner = *found;
  Map<Str> annotations = volume_.meta().annotations;
  const bool marked = mark_migration(annotations, &provisioner);
  List<Str> finalizers = wanted_finalizers(volume(), provisioner);
  if (!marked && finalizers == volume_.meta().finalizers) return Status();
  volume_.mut_meta().annotations = std::move(annotations);
  volume_.mut_meta().finalizers = std::move(finalizers);
  return write(volume_);
}

// A cache may be behind: before a volume is taken for released the API is asked.
Status VolumeSync::find_claim() {
  const auto& ref = *volume().spec->claim_ref;
  if (claim_ && claim_.meta().uid == ref.uid) return Status();
  if (!claim_ && has_gone_already(volume())) return Status();
  const ApiResponse& live = log_.call(
      [&] { return get_request(kind_of<PersistentVolumeClaim>(), ref.namespace_, ref.name); });
  if (!live.status && live.status.code() != Code::kNotFound) return live.status;
  claim_ = live.status && live.object.meta().uid == ref.uid ? live.object : api::Object();
  return Status();
}

// The sync of the claim binds it, unless it cannot.
Status VolumeSync::await_claim() {
  if (modes_differ(claim(), volume())) {
    event(volume_, "Warning", "VolumeMismatch",
          str_cat("Cannot bind PersistentVolume to requested PersistentVolumeClaim ",
                  api::quoted(claim_.meta().name), " due to incompatible volumeMode."));
    event(claim_, "Warning", "VolumeMismatch",
          str_cat("Cannot bind PersistentVolume ", api::quoted(volume_.meta().name),
                  " to requested PersistentVolumeClaim due to incompatible volumeMode."));
    return Status();
  }
  log_.once([&] { hooks_.look_at_claim_of_key(api::object_key(claim_.meta())); });
  return Status();
}

Status VolumeSync::release() {
  if (!has_gone_already(volume())) ORRERY_TRY(set_volume_phase("Released"));
  return reclaim();
}

// What the controller has bound is free again; what a user has bound stays reserved.
Status VolumeSync::unbind() {
  auto& spec = volume_.mut<PersistentVolume>().spec.mut();
  if (has_annotation(volume_, kBoundByController)) {
    spec.claim_ref.reset();
    auto& annotations = volume_.mut_meta().annotations;
    annotations.erase(kBoundByController);
    if (annotations.empty()) annotations.reset();
  } else {
    spec.claim_ref.mut().uid = Str();
  }
  ORRERY_TRY(write(volume_));
  return set_volume_phase("Available");
}

Status VolumeSync::reclaim() {
  if (!volume_.meta().annotations.get(kMigratedTo).empty()) return Status();
  const Str& policy = volume().spec->persistent_volume_reclaim_policy;
  if (policy == "Retain") return Status();
  if (policy != "Recycle" && policy != "Delete")
    return fail("VolumeUnknownReclaimPolicy",
                "Volume has unrecognized PersistentVolumeReclaimPolicy");
  const bool recycles = policy == "Recycle";
  const ApiResponse& live =
      log_.call([&] { return get_request(kind_of<PersistentVolume>(), {}, volume_.meta().name); });
  // Whatever it is, the next sync sees it.
  if (!live.status) return Status();
  volume_ = live.object;
  if (!is_released()) return Status();
  return recycles ? recycle() : delete_volume();
}

bool VolumeSync::is_released() const {
  const auto* ref = volume().spec->claim_ref.get();
  if (!ref || ref->uid.empty()) return false;
  if (!in_.claim || in_.claim.meta().uid != ref->uid) return true;
  const Str& bound = in_.claim.get<PersistentVolumeClaim>().spec->volume_name;
  return !bound.empty() && bound != volume_.meta().name;
}

Status VolumeSync::recycle() {
  // A claim in the cache is another one of that name, and so are its pods.
  if (!in_.pods.empty() && !in_.claim) {
    std::string names;
    for (const Str& pod : in_.pods) names += str_cat(names.empty() ? "" : ",", pod);
    event(volume_, "Normal", "VolumeFailedRecycle", str_cat("Volume is used by pods: ", names));
    return Status();
  }
  return fail("VolumeFailedRecycle", "No recycler plugin found for the volume!");
}

Status VolumeSync::delete_volume() {
  const Str provisioner = volume_.meta().annotations.get(kProvisionedBy);
  if (provisioner.empty())
    return fail("VolumeFailedDelete",
                str_cat("error getting deleter volume plugin for volume ",
                        api::quoted(volume_.meta().name), ": no volume plugin matched"));
  // Drivers delete what they have provisioned.
  if (!provisioner.view().starts_with(kInTree)) return Status();
  return fail("VolumeFailedDelete", str_cat("no volume plugin matched name: ", provisioner));
}

Status VolumeSync::fail(std::string_view reason, std::string_view message) {
  if (volume().status->phase == "Failed") return Status();
  ORRERY_TRY(set_volume_phase("Failed", message));
  event(volume_, "Warning", reason, message);
  return Status();
}

}  // namespace orrery::control
