#pragma once

#include <cstdint>
#include <span>

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"
#include "engine/base/time.h"

namespace orrery::control {

/// When a pod ended: its last container's end, or when it was not ready any more, or when it was
/// deleted, or when it was created. Kubernetes v1.32 pkg/controller/job, getFinishedTime.
Time pod_finish_time(const corev1::Pod& pod);

/// What is left of the delay that follows `failures` failures in a row, the last at `last`: 10 s
/// doubling to 10 min. Kubernetes v1.32 pkg/controller/job (backoff_utils.go).
Duration pod_backoff_left(int64_t failures, Time last, Time now);

/// A Job's failed pods since its last success.
struct FailureRecord {
  int64_t failures = 0;
  Time last;
  /// The record with pods added that have ended since.
  FailureRecord after(std::span<const api::Object> succeeded,
                      std::span<const api::Object> failed) const;
  Duration left(Time now) const { return pod_backoff_left(failures, last, now); }
};

}  // namespace orrery::control
