#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

struct SlowStartResult {
  int64_t successes = 0;
  Status error;  // the first of the batch that failed
};

/// Runs `count` requests in batches of 1, 2, 4, ...: each batch starts when the one before has
/// succeeded as a whole, so that something that always fails is tried once, not `count` times.
/// `make(i)` builds request i; `judge(i, response)` says whether its outcome counts as a failure,
/// and is called in index order (again in each replay).
/// Kubernetes v1.32 pkg/controller, slowStartBatch.
template <typename Make, typename Judge>
SlowStartResult slow_start(WriteLog& log, int64_t count, Make make, Judge judge) {
  SlowStartResult result;
  int64_t first = 0;
  for (int64_t size = std::min<int64_t>(1, count); size > 0;
       size = std::min(2 * size, count - first)) {
    const auto answers = log.batch(static_cast<size_t>(size),
                                   [&](size_t i) { return make(first + static_cast<int64_t>(i)); });
    if (log.pending()) return result;
    for (int64_t i = 0; i < size; ++i) {
      const Status status = judge(first + i, answers[static_cast<size_t>(i)]);
      if (status) {
        ++result.successes;
      } else if (result.error) {
        result.error = status;
      }
    }
    if (!result.error) return result;
    first += size;
  }
  return result;
}

}  // namespace orrery::control
