#include "engine/control/persistent_volume_binder/persistent_volume_binder.h"

#include "engine/api/gen/storagev1.h"
#include "engine/control/common/pod_claims.h"
#include "engine/control/persistent_volume_binder/claim_sync.h"
#include "engine/control/persistent_volume_binder/volume_sync.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using corev1::PersistentVolume;
using corev1::PersistentVolumeClaim;

constexpr std::string_view kClaimKeys = "claim/";
constexpr std::string_view kVolumeKeys = "volume/";
constexpr std::string_view kWaits = "WaitForFirstConsumer";

Str claim_key(std::string_view key) { return Str(str_cat(kClaimKeys, key)); }
Str volume_key(std::string_view name) { return Str(str_cat(kVolumeKeys, name)); }

}  // namespace

PersistentVolumeBinder::PersistentVolumeBinder(const Env& env,
                                               const PersistentVolumeBinderOptions& options)
    : Reconciler(env, "persistent-volume-binder", options, "persistentvolume-controller"),
      period_(options.resync),
      idle_resyncs_(options.idle_resyncs) {
  add_informer({&kind_of<PersistentVolumeClaim>(), {}, {}, {}});
  add_informer({&kind_of<PersistentVolume>(), {}, {}, {}});
  add_informer({&kind_of<storagev1::StorageClass>(), {}, {}, {}});
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_namespace_of_claims});
}

void PersistentVolumeBinder::on_start(const Ctx& ctx) {
  origin_ = ctx.now;
  if (idle_resyncs_) arm_resync(ctx.now);
}

/// At the next end of a period.
void PersistentVolumeBinder::arm_resync(Time now) {
  if (std::exchange(resync_armed_, true)) return;
  const int64_t periods = (now - origin_).ns / period_.ns + 1;
  env().timers->arm(lane(), origin_ + period_ * periods, {EventKind::kTimer, kFirstTimerArg, 0, 0});
}

void PersistentVolumeBinder::on_event(const Ctx& ctx, const Event&) {
  resync_armed_ = false;
  if (idle_resyncs_) arm_resync(ctx.now);
  informer(kVolumes).for_each(
      [&](const api::Object& volume) { enqueue(volume_key(volume.meta().name)); });
  informer(kClaims).for_each(
      [&](const api::Object& claim) { enqueue(claim_key(api::object_key(claim.meta()))); });
}

void PersistentVolumeBinder::on_change(const Ctx& ctx, size_t number, const Change& change) {
  if (number == kClaims) return claim_changed(change);
  if (number == kVolumes) volume_changed(change);
  if (number == kClasses &&
      change.newest().get<storagev1::StorageClass>().volume_binding_mode == Str(kWaits))
    need(kPods);
  // Pods that go may free a volume for its recycling; others only change what events say.
  if (number == kPods && change.after) return;
  arm_resync(ctx.now);
}

void PersistentVolumeBinder::claim_changed(const Change& change) {
  const api::Object& claim = change.newest();
  if (change.after) {
    written_.seen(claim);
    return enqueue(claim_key(api::object_key(claim.meta())));
  }
  written_.gone(claim);
  const Str& volume = claim.get<PersistentVolumeClaim>().spec->volume_name;
  if (!volume.empty()) enqueue(volume_key(volume));
}

void PersistentVolumeBinder::volume_changed(const Change& change) {
  const api::Object& volume = change.newest();
  const auto& spec = *volume.get<PersistentVolume>().spec;
  if (change.after) {
    written_.seen(volume);
    if (spec.persistent_volume_reclaim_policy == "Recycle") need(kPods);
    return enqueue(volume_key(volume.meta().name));
  }
  written_.gone(volume);
  if (const auto* ref = spec.claim_ref.get())
    enqueue(claim_key(api::object_key(ref->namespace_, ref->name)));
}

api::Object PersistentVolumeBinder::newest(Informers number, std::string_view key) const {
  const api::Object* cached = informer(number).find(key);
  return cached ? written_.newest(*cached) : api::Object();
}

void PersistentVolumeBinder::for_each_volume(
    const std::function<void(const api::Object&)>& see) const {
  informer(kVolumes).for_each([&](const api::Object& volume) { see(written_.newest(volume)); });
}

std::vector<api::Object> PersistentVolumeBinder::classes() const {
  std::vector<api::Object> all;
  informer(kClasses).for_each([&](const api::Object& one) { all.push_back(one); });
  return all;
}

std::vector<api::Object> PersistentVolumeBinder::pods_with_claims(const Str& ns) const {
  std::vector<api::Object> pods;
  informer(kPods).for_each_in(kPodsWithClaims, ns,
                              [&](const api::Object& pod) { pods.push_back(pod); });
  return pods;
}

BinderInputs PersistentVolumeBinder::gather(const Ctx&, const Str& key) {
  const std::string_view text = key;
  return text.starts_with(kVolumeKeys) ? volume_inputs(*this, text.substr(kVolumeKeys.size()))
                                       : claim_inputs(*this, text.substr(kClaimKeys.size()));
}

Status PersistentVolumeBinder::sync(const BinderInputs& in, WriteLog& log) {
  const BinderHooks hooks = {
      [this](const api::Object& object) {
        const auto& cache = informer(object.is<PersistentVolume>() ? kVolumes : kClaims);
        written_.written(object, cache.find(object.meta().namespace_, object.meta().name));
      },
      [this](const Str& key) { enqueue(claim_key(key)); }};
  return in.about_volume ? VolumeSync(in, log, hooks).run() : ClaimSync(in, log, hooks).run();
}

void PersistentVolumeBinder::on_finished(const Ctx& ctx, const Str&, const Status& status) {
  if (!status) arm_resync(ctx.now);
}

}  // namespace orrery::control
