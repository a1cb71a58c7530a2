#pragma once

#include <map>
#include <string>
#include <utility>

#include "engine/base/time.h"
#include "engine/ports/api.h"
#include "engine/server/metrics/histogram.h"

namespace orrery::server {

/// How long the store took, by what was asked of it: etcd_request_duration_seconds and
/// etcd_request_errors_total of Kubernetes v1.32.
class StoreTimes {
 public:
  /// A call on behalf of `request` has been answered after `took`.
  void answered(const ApiRequest& request, Duration took, bool failed);
  std::string text() const;

 private:
  struct Calls {
    Histogram times;
    uint64_t failed = 0;
  };
  std::map<std::pair<std::string, std::string>, Calls> calls_;  // operation, resource
};

}  // namespace orrery::server
