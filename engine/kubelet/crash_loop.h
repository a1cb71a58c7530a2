#pragma once

#include <algorithm>

#include "engine/base/time.h"

namespace orrery::kubelet {

/// When a container that keeps ending is started again: the first time at once, then after 10 s
/// doubling to 300 s, counted from its end; anew once it has run for more than 10 minutes.
/// Kubernetes v1.32 pkg/kubelet/kuberuntime, doBackOff (client-go flowcontrol.Backoff).
class CrashLoop {
 public:
  /// The delay after an end at `exit`.
  Duration delay(Time exit) const { return expired(exit) ? Duration{} : backoff_; }
  /// The container that ended at `exit` is started again.
  void restarted(Time exit, Time now) {
    backoff_ = expired(exit) ? kInitial : std::min(backoff_ * 2, kMax);
    updated_ = now;
  }

 private:
  static constexpr Duration kInitial = Duration::seconds(10);
  static constexpr Duration kMax = Duration::seconds(300);
  bool expired(Time exit) const { return backoff_ == Duration{} || exit - updated_ > kMax * 2; }

  Duration backoff_;
  Time updated_;
};

}  // namespace orrery::kubelet
