#pragma once

#include "engine/control/persistent_volume_binder/binder_sync.h"
#include "engine/control/persistent_volume_binder/written_objects.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct PersistentVolumeBinderOptions : ControllerOptions {
  PersistentVolumeBinderOptions() { workers = 1; }
  Duration resync = Duration::seconds(15);  // --pvclaimbinder-sync-period
  /// All is synced again in every period, which only repeats events if nothing has changed;
  /// without it in those alone that follow a change or a failure.
  bool idle_resyncs = true;
};

/// Binds claims to volumes, asks external provisioners for those that are missing, and does with
/// released volumes what their policy says. Keys are "claim/NAMESPACE/NAME" and "volume/NAME".
/// Kubernetes v1.32 pkg/controller/volume/persistentvolume.
///
/// As there, what fails, and a claim that waits for a volume to appear, is looked at again in the
/// next period only.
class PersistentVolumeBinder final : public Reconciler<PersistentVolumeBinder, BinderInputs>,
                                     private BinderView {
 public:
  PersistentVolumeBinder(const Env& env, const PersistentVolumeBinderOptions& options);

 protected:
  void on_start(const Ctx& ctx) override;
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  void on_event(const Ctx& ctx, const Event& event) override;
  BinderInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const BinderInputs& in, WriteLog& log) override;
  void on_finished(const Ctx& ctx, const Str& key, const Status& status) override;

 private:
  enum Informers : size_t { kClaims, kVolumes, kClasses, kPods };
  enum PodIndex : size_t { kPodsWithClaims };

  void claim_changed(const Change& change);
  void volume_changed(const Change& change);
  void arm_resync(Time now);
  api::Object newest(Informers number, std::string_view key) const;
  api::Object find_claim(std::string_view key) const override { return newest(kClaims, key); }
  api::Object find_volume(std::string_view name) const override { return newest(kVolumes, name); }
  void for_each_volume(const std::function<void(const api::Object&)>& see) const override;
  std::vector<api::Object> classes() const override;
  std::vector<api::Object> pods_with_claims(const Str& ns) const override;

  Duration period_;
  bool idle_resyncs_;
  Time origin_;
  bool resync_armed_ = false;
  WrittenObjects written_;
};

}  // namespace orrery::control
