#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/ports/api.h"
#include "engine/runtime/backoff.h"
#include "engine/runtime/key_table.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery {

/// Turns what a component reports about objects into corev1.Event writes: the same report again
/// raises the count of the first, and an object about which too much is reported is silenced.
/// Kubernetes v1.32 client-go tools/record: a burst of 25 events per object, then one in 5 minutes;
/// 4096 reports are remembered (here: then all are forgotten together).
class EventRecorder {
 public:
  EventRecorder() = default;
  /// A recorder that is not enabled makes no requests.
  EventRecorder(Str component, bool enabled) : component_(component), enabled_(enabled) {}

  /// The write to send, if any; nobody needs its answer.
  std::optional<ApiRequest> record(Time now, const SyncEvent& report);

 private:
  static constexpr size_t kRemembered = 4096;
  static constexpr int64_t kBurst = 25;
  static constexpr Duration kInterval = Duration::minutes(5);
  struct Report {
    Str ns, name;
    int32_t count = 0;
  };
  bool silenced(Time now, const Str& uid);
  ApiRequest first(Time now, const SyncEvent& report, Report& memory);
  ApiRequest repeated(Time now, Report& memory);

  Str component_;
  bool enabled_ = false;
  int64_t last_stamp_ = 0;
  KeyTable<Str> seen_;
  std::vector<Report> reports_;  // by slot of seen_
  KeyTable<Str> objects_;
  std::vector<TokenBucket> buckets_;  // by slot of objects_
};

}  // namespace orrery
