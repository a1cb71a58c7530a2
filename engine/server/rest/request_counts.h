#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "engine/server/metrics/histogram.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// What has been asked of the API server, for /metrics (Prometheus text, names of Kubernetes
/// v1.32).
class RequestCounts {
 public:
  /// A request has been answered with `code` after so long. Names of a path that is not `served` are
  /// not kept: a client could make up any number of them.
  void finished(const RequestInfo& info, bool served, bool dry_run, int code, double seconds);
  /// A watch has begun (+1) or ended (-1).
  void running(const RequestInfo& info, int change);
  /// A version that is deprecated has been asked for.
  void deprecated(const RequestInfo& info);
  /// apiserver_request_total, apiserver_request_duration_seconds, apiserver_longrunning_requests and
  /// apiserver_requested_deprecated_apis.
  std::string text() const;

 private:
  struct Labels {
    std::string group, version, resource, subresource, scope, verb, dry_run;
    int code = 0;  // of long-running requests: 0
    auto operator<=>(const Labels&) const = default;
  };
  static Labels labels_of(const RequestInfo& info, bool served, int code);
  static std::string written(const Labels& labels, bool with_dry_run);

  std::map<Labels, int64_t> total_, running_;
  std::set<std::string> deprecated_;  // labels, written
  std::map<Labels, Histogram> times_;
};

}  // namespace orrery::server
