#pragma once

#include <deque>
#include <map>

#include "engine/base/str.h"
#include "engine/base/time.h"

namespace orrery::server {

/// For how many seconds those whom a priority level refuses are asked to stay away: twice as long
/// while many are refused, a second less when few are, 1 to 32.
/// Source: Kubernetes v1.32 apiserver/pkg/util/flowcontrol/dropped_requests_tracker.go.
class RetryAfter {
 public:
  /// A request of the level has been refused: what to tell it.
  int refused(const Str& level, Time now);

 private:
  struct Second {
    int64_t at = 0;
    int64_t refused = 0;
  };
  struct Level {
    std::deque<Second> before;  // the current second
    Second current;
    int64_t seconds = 1;
    int64_t raised = 0;  // when
  };
  static void next_second(Level& level, int64_t now);

  std::map<Str, Level> levels_;
};

}  // namespace orrery::server
