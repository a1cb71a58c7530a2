#include "engine/control/pv_protection/pv_protection_controller.h"

#include "engine/control/common/protection.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr size_t kVolumes = 0;
constexpr std::string_view kFinalizer = "kubernetes.io/pv-protection";

}  // namespace

Status sync_pv_protection(const PvProtectionInputs& in, WriteLog& log) {
  if (!in.volume) return Status();
  const auto is_used = [&]() -> Result<bool> {
    return in.volume.get<corev1::PersistentVolume>().status->phase == "Bound";
  };
  return protect(in.volume, kFinalizer, is_used, log);
}

PvProtectionController::PvProtectionController(const Env& env, const PvProtectionOptions& options)
    : Reconciler(env, "pv-protection-controller", options) {
  add_informer({&kind_of<corev1::PersistentVolume>(), {}, {}, {}});
}

void PvProtectionController::on_change(const Ctx&, size_t, const Change& change) {
  if (!change.after) return;
  const auto& meta = change.after.meta();
  if (is_deletion_candidate(meta, kFinalizer) || lacks_finalizer(meta, kFinalizer))
    enqueue(meta.name);
}

PvProtectionInputs PvProtectionController::gather(const Ctx&, const Str& key) {
  const api::Object* volume = informer(kVolumes).find({}, key);
  return {volume ? *volume : api::Object()};
}

}  // namespace orrery::control
