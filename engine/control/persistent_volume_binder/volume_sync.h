#pragma once

#include "engine/control/persistent_volume_binder/binder_sync.h"

namespace orrery::control {

/// One sync of a volume: its phase, and what becomes of it once its claim is gone. Volumes that no
/// CSI driver looks after cannot be deleted or recycled: there are no in-tree plugins.
class VolumeSync final : BinderSync {
 public:
  VolumeSync(const BinderInputs& in, WriteLog& log, const BinderHooks& hooks)
      : BinderSync(in, log, hooks) {}
  Status run();

 private:
  Status mark_driver();
  Status find_claim();
  Status await_claim();
  Status release();
  Status unbind();

  Status reclaim();
  Status recycle();
  Status delete_volume();
  bool is_released() const;
  Status fail(std::string_view reason, std::string_view message);
};

}  // namespace orrery::control
