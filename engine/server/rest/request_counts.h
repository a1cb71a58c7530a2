#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// What has been asked of the API server, for /metrics (Prometheus text, names of Kubernetes
/// v1.32).
class RequestCounts {
 public:
  /// A request has been answered with `code`. Names of a path that is not `served` are not kept: a
  /// client could make up any number of them.
  void finished(const RequestInfo& info, bool served, int code);
  /// A watch has begun (+1) or ended (-1).
  void running(const RequestInfo& info, int change);
  /// apiserver_request_total and apiserver_longrunning_requests.
  std::string text() const;

 private:
  struct Labels {
    std::string group, version, resource, subresource, scope, verb;
    int code = 0;  // of long-running requests: 0
    auto operator<=>(const Labels&) const = default;
  };
  static Labels labels_of(const RequestInfo& info, bool served, int code);
  static std::string written(const Labels& labels);

  std::map<Labels, int64_t> total_, running_;
};

}  // namespace orrery::server
