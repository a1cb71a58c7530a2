#include "engine/server/metrics/store_times.h"

#include "engine/server/errors.h"

namespace orrery::server {
namespace {

std::string_view operation(ApiVerb verb) {
  switch (verb) {
    case ApiVerb::kGet:
      return "get";
    case ApiVerb::kList:
      return "list";
    case ApiVerb::kCreate:
      return "create";
    case ApiVerb::kDelete:
    case ApiVerb::kDeleteCollection:
      return "delete";
    default:
      return "update";
  }
}

}  // namespace

void StoreTimes::answered(const ApiRequest& request, Duration took, bool failed) {
  Calls& calls =
      calls_[{std::string(operation(request.verb)), qualified_resource(*request.kind)}];
  calls.times.observe(took.to_seconds());
  calls.failed += failed ? 1 : 0;
}

std::string StoreTimes::text() const {
  constexpr std::string_view kTimes = "etcd_request_duration_seconds";
  constexpr std::string_view kErrors = "etcd_request_errors_total";
  constexpr std::string_view kAll = "etcd_requests_total";
  const auto labels = [](const auto& key) {
    return str_cat("operation=\"", key.first, "\",type=\"", key.second, "\"");
  };
  std::string out = metric_head(kTimes, "histogram", "[ALPHA] How long the store took.");
  for (const auto& [key, calls] : calls_) calls.times.append(out, kTimes, labels(key));
  out += metric_head(kErrors, "counter", "[ALPHA] Calls that the store has failed.");
  for (const auto& [key, calls] : calls_)
    out += str_cat(kErrors, "{", labels(key), "} ", calls.failed, "\n");
  out += metric_head(kAll, "counter", "[ALPHA] Calls of the store.");
  for (const auto& [key, calls] : calls_)
    out += str_cat(kAll, "{", labels(key), "} ", calls.times.count(), "\n");
  return out;
}

}  // namespace orrery::server
