#include "engine/server/rest/request_counts.h"

#include <algorithm>

#include "engine/base/str.h"

namespace orrery::server {
namespace {

// Metrics know verbs by the method that asks for them.
std::string verb_label(const RequestInfo& info) {
  static constexpr std::string_view kConnected[] = {"log", "exec", "attach", "portforward", "proxy"};
  if (std::find(std::begin(kConnected), std::end(kConnected), info.subresource) !=
      std::end(kConnected))
    return "CONNECT";
  if (info.is_resource && info.verb == "create") return "POST";
  if (info.is_resource && info.verb == "update") return "PUT";
  static constexpr std::string_view kVerbs[] = {
      "get",  "list", "watch", "patch",  "delete", "deletecollection",
      "post", "put",  "head",  "options"};
  if (std::find(std::begin(kVerbs), std::end(kVerbs), info.verb) == std::end(kVerbs))
    return "other";
  std::string out = info.verb;
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

}  // namespace

RequestCounts::Labels RequestCounts::labels_of(const RequestInfo& info, bool served, int code) {
  Labels out;
  out.verb = verb_label(info);
  out.code = code;
  if (!served) return out;
  out.group = info.group;
  out.version = info.version;
  out.resource = info.resource;
  if (code != 404) out.subresource = info.subresource;
  const bool one = !info.name.empty() || info.verb == "create";
  out.scope = one ? "resource" : info.ns.empty() ? "cluster" : "namespace";
  return out;
}

std::string RequestCounts::written(const Labels& labels, bool with_dry_run) {
  std::string out;
  if (labels.code) out += str_cat("code=\"", labels.code, "\",");
  out += "component=\"apiserver\",";
  if (with_dry_run) out += str_cat("dry_run=\"", labels.dry_run, "\",");
  return str_cat(out, "group=\"", labels.group, "\",resource=\"", labels.resource, "\",scope=\"",
                 labels.scope, "\",subresource=\"", labels.subresource, "\",verb=\"", labels.verb,
                 "\",version=\"", labels.version, "\"");
}

void RequestCounts::finished(const RequestInfo& info, bool served, bool dry_run, int code,
                             double seconds) {
  Labels labels = labels_of(info, served, code);
  if (dry_run) labels.dry_run = "All";
  total_[labels]++;
  labels.code = 0;
  times_[labels].observe(seconds);
}

void RequestCounts::running(const RequestInfo& info, int change) {
  running_[labels_of(info, true, 0)] += change;
}

void RequestCounts::deprecated(const RequestInfo& info) {
  deprecated_.insert(str_cat("group=\"", info.group, "\",removed_release=\"\",resource=\"", info.resource,
                             "\",subresource=\"", info.subresource, "\",version=\"", info.version, "\""));
}

std::string RequestCounts::text() const {
  std::string out = metric_head("apiserver_longrunning_requests", "gauge",
                                "[STABLE] Requests that are being served for as long as the client likes.");
  for (const auto& [labels, count] : running_)
    out += str_cat("apiserver_longrunning_requests{", written(labels, false), "} ", count, "\n");
  out += metric_head("apiserver_request_total", "counter", "[STABLE] Requests that have been answered.");
  for (const auto& [labels, count] : total_)
    out += str_cat("apiserver_request_total{", written(labels, true), "} ", count, "\n");
  constexpr std::string_view kTimes = "apiserver_request_duration_seconds";
  out += metric_head(kTimes, "histogram", "[STABLE] How long requests have taken.");
  for (const auto& [labels, times] : times_) times.append(out, kTimes, written(labels, true));
  constexpr std::string_view kDeprecated = "apiserver_requested_deprecated_apis";
  out += metric_head(kDeprecated, "gauge", "[STABLE] Deprecated APIs that have been requested.");
  for (const std::string& labels : deprecated_) out += str_cat(kDeprecated, "{", labels, "} 1\n");
  return out;
}

}  // namespace orrery::server
