#pragma once

#include "engine/control/persistent_volume_binder/binder_sync.h"

namespace orrery::control {

/// One sync of a claim: it is bound to the volume it names or to the best there is, or an external
/// provisioner is asked for one; a bound claim that has lost its volume is Lost.
class ClaimSync final : BinderSync {
 public:
  ClaimSync(const BinderInputs& in, WriteLog& log, const BinderHooks& hooks)
      : BinderSync(in, log, hooks) {}
  Status run();

 private:
  Status mark_driver();
  Status sync_unbound();
  Status sync_named_volume();
  Status sync_bound();
  Status sync_without_volume();
  Status assign_default_class();
  void tell_whom_it_waits_for();
  Status provision();

  Status bind();
  Status bind_volume();
  Status bind_claim();
  Status set_status(std::string_view phase, const corev1::PersistentVolume* volume = nullptr);
  Status lose(std::string_view reason, std::string_view message);
};

}  // namespace orrery::control
