#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/control/attach_detach/attach_state.h"
#include "engine/runtime/backoff.h"

namespace orrery::control {

/// Attaching and detaching that is under way, and the pauses after what has failed. Plain state.
/// Source: Kubernetes v1.32 pkg/volume/util/nestedpendingoperations, pkg/util/goroutinemap.
class AttachOperations {
 public:
  enum class Kind : uint8_t { kAttach, kDetach };

  /// Whether `kind` has to wait: for another operation of the volume (of a shared one: on the same
  /// node), or for the end of a pause after its own failure.
  bool is_busy(const VolumeOnNode& where, bool shared, Kind kind, Time now) const;
  void begin(const VolumeOnNode& where, Kind kind, Time now);
  std::optional<Kind> under_way(const VolumeOnNode& where) const;
  void succeeded(const VolumeOnNode& where) { operations_.erase(where); }
  void failed(const VolumeOnNode& where, Time now);
  /// Those that drivers have not ended in time.
  std::vector<VolumeOnNode> overdue(Time now) const;
  /// When one is overdue, or a pause ends; max(): never.
  Time next(Time now) const;

 private:
  struct Operation {
    Kind kind = Kind::kAttach;
    bool pending = false;
    Time until;  // pending: it is overdue then; else its pause ends
    uint32_t failures = 0;
  };
  static constexpr Duration kDriversTime = Duration::seconds(120);
  static constexpr ExponentialBackoff kPause{Duration::millis(500), Duration::seconds(122)};

  std::map<VolumeOnNode, Operation> operations_;
};

}  // namespace orrery::control
