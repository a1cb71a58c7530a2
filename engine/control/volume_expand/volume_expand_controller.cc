#include "engine/control/volume_expand/volume_expand_controller.h"

#include "engine/api/codec_json.h"
#include "engine/control/common/csi_migration.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using corev1::PersistentVolume;
using corev1::PersistentVolumeClaim;

constexpr std::string_view kResizer = "volume.kubernetes.io/storage-resizer";
constexpr std::string_view kPreResizeCapacity = "volume.alpha.kubernetes.io/pre-resize-capacity";

api::Quantity requested(const PersistentVolumeClaim& claim) {
  return claim.spec->resources.requests.get("storage");
}
api::Quantity capacity(const PersistentVolumeClaim& claim) {
  return claim.status->capacity.get("storage");
}

Status name_resizer(const api::Object& claim, std::string_view driver, WriteLog& log) {
  if (claim.meta().annotations.get(kResizer) == driver) return Status();
  return log
      .call([&] {
        api::Json patch = api::Json::object();
        patch.set("metadata", api::Json::object())
            .set("annotations", api::Json::object())
            .set(kResizer, driver);
        return patch_request(*claim.kind(), claim.meta().namespace_, claim.meta().name,
                             PatchKind::kMerge, patch.dump(), "status");
      })
      .status;
}

}  // namespace

VolumeExpandController::VolumeExpandController(const Env& env, const VolumeExpandOptions& options)
    : Reconciler(env, "expand-controller", options, "volume_expand") {
  add_informer({&kind_of<PersistentVolumeClaim>(), {}, {}, {}});
  add_informer({&kind_of<PersistentVolume>(), {}, {}, {}});
}

void VolumeExpandController::on_change(const Ctx&, size_t number, const Change& change) {
  if (number != kClaims || !change.after) return;
  const auto& claim = change.after.get<PersistentVolumeClaim>();
  if (claim.status->phase != "Bound") return;
  if (change.before) {
    const auto& before = change.before.get<PersistentVolumeClaim>();
    if (requested(claim) <= requested(before) && capacity(claim) <= capacity(before)) return;
  }
  enqueue(api::object_key(*claim.metadata));
}

VolumeExpandInputs VolumeExpandController::gather(const Ctx&, const Str& key) {
  VolumeExpandInputs in;
  const api::Object* claim = informer(kClaims).find(key.view());
  if (!claim) return in;
  in.claim = *claim;
  const Str& name = claim->get<PersistentVolumeClaim>().spec->volume_name;
  if (const api::Object* volume = informer(kVolumes).find({}, name)) in.volume = *volume;
  return in;
}

Status VolumeExpandController::sync(const VolumeExpandInputs& in, WriteLog& log) {
  if (!in.claim) return Status();
  const auto& claim = in.claim.get<PersistentVolumeClaim>();
  if (!in.volume)
    return not_found(str_cat("persistentvolume \"", claim.spec->volume_name, "\" not found"));
  const auto& volume = in.volume.get<PersistentVolume>();
  const auto* ref = volume.spec->claim_ref.get();
  if (!ref || ref->namespace_ != claim.metadata->namespace_ || ref->uid != claim.metadata->uid)
    return internal_error(str_cat("persistent Volume is not bound to PVC being updated : ",
                                  api::object_key(*claim.metadata)));
  const bool resized = volume.metadata->annotations.contains(kPreResizeCapacity);
  if (requested(claim) <= capacity(claim) && !resized) return Status();
  const std::string_view plugin = migrated_plugin_of(volume);
  if (!plugin.empty()) {
    log.event(in.claim, "Normal", "ExternalExpanding",
              str_cat("CSI migration enabled for ", plugin,
                      "; waiting for external resizer to expand the pvc"));
    return name_resizer(in.claim, csi_driver_of(plugin), log);
  }
  log.event(in.claim, volume.spec->csi ? "Normal" : "Warning", "ExternalExpanding",
            "waiting for an external controller to expand this PVC");
  return Status();
}

}  // namespace orrery::control
