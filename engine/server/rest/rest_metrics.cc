// What the server tells of itself: its paths and its metrics.
#include <set>

#include "engine/server/rest/rest.h"

namespace orrery::server {
namespace {

constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8; escaping=values";

std::string gauge(std::string_view name, std::string_view help, const std::string& value) {
  return str_cat(metric_head(name, "gauge", help), name, " ", value, "\n");
}

std::string kind_labels(const api::KindDesc& kind) {
  return str_cat("{group=\"", kind.group, "\",kind=\"", kind.kind, "\",version=\"", kind.version, "\"} ");
}

}  // namespace

void Rest::finished(Exchange& exchange, int code) {
  counts_.finished(exchange.info, exchange.kind != nullptr, exchange.query.has("dryRun"), code,
                   (timers_->now() - exchange.begun).to_seconds());
  audit(exchange, AuditStage::kResponseComplete, code);
}

// Source: Kubernetes v1.32 apiserver/pkg/endpoints/metrics.
void Rest::note_deprecated(Exchange& exchange, Str warning) {
  exchange.warnings.push_back(std::move(warning));
  counts_.deprecated(exchange.info);
  if (exchange.audit) exchange.audit->annotations.set("k8s.io/deprecated", "true");
}

void Rest::serve_root(uint64_t id) {
  std::set<std::string> paths = {"/.well-known/openid-configuration",
                                 "/api",
                                 "/apis",
                                 "/apis/",
                                 "/healthz",
                                 "/livez",
                                 "/metrics",
                                 "/openapi/v2",
                                 "/openapi/v3",
                                 "/openapi/v3/",
                                 "/openid/v1/jwks",
                                 "/readyz",
                                 "/version"};
  for (const auto& group : served_.groups()) {
    if (!group.name.empty()) paths.insert(str_cat("/apis/", group.name));
    for (const auto& version : group.versions)
      paths.insert(group.name.empty() ? str_cat("/api/", version.version)
                                      : str_cat("/apis/", group.name, "/", version.version));
  }
  for (std::string& path : health_paths()) paths.insert(std::move(path));
  api::Json out = api::Json::object();
  api::Json& list = out.set("paths", api::Json::array());
  for (const std::string& path : paths) list.push_back(path);
  respond(id, 200, "application/json", out.dump());
}

void Rest::serve_metrics(uint64_t id) {
  respond(id, 200, kMetricsText, counts_.text() + inflight_metrics() + watch_metrics() + flow_.metrics() + storage_metrics() +
                                server_->store_times().text() + process_metrics());
}

std::string Rest::inflight_metrics() const {
  constexpr std::string_view kName = "apiserver_current_inflight_requests";
  uint64_t mutating = 0, reading = 0;
  for (const auto& [id, exchange] : exchanges_) {
    if (exchange.streaming || exchange.connect) continue;
    const std::string& verb = exchange.info.verb;
    const bool reads = verb == "get" || verb == "list" || verb == "watch" || verb == "head";
    ++(reads ? reading : mutating);
  }
  return str_cat(metric_head(kName, "gauge", "[STABLE] Requests that are being served, but long-running ones."), kName,
                 "{request_kind=\"mutating\"} ", mutating, "\n", kName, "{request_kind=\"readOnly\"} ", reading, "\n");
}

std::string Rest::watch_metrics() const {
  constexpr std::string_view kWatchers = "apiserver_registered_watchers", kEvents = "apiserver_watch_events_total";
  std::map<std::string, uint64_t> watchers, events;
  for (const auto& [id, exchange] : exchanges_)
    if (exchange.watch && !exchange.log) ++watchers[kind_labels(*exchange.kind)];
  for (const auto& [kind, sent] : sent_events_) events[sent.labels] += sent.count;
  std::string out = metric_head(kWatchers, "gauge", "[ALPHA] Watches that are open.");
  for (const auto& [labels, count] : watchers) out += str_cat(kWatchers, labels, count, "\n");
  out += metric_head(kEvents, "counter", "[ALPHA] Events that watches have been sent.");
  for (const auto& [labels, count] : events) out += str_cat(kEvents, labels, count, "\n");
  return out;
}

void Rest::count_event(const api::KindDesc& kind) {
  SentEvents& sent = sent_events_[kind.id];
  if (sent.count++ == 0) sent.labels = kind_labels(kind);
}

std::string Rest::process_metrics() const {
  if (!process_) return "";
  const ProcessUsage used = process_->usage();
  return str_cat(metric_head("process_cpu_seconds_total", "counter", "User and system time spent."),
                 "process_cpu_seconds_total ", metric_number(used.cpu_seconds), "\n",
                 gauge("process_resident_memory_bytes", "Memory that is resident.", str_cat(used.resident_bytes)),
                 gauge("process_virtual_memory_bytes", "Memory that is mapped.", str_cat(used.virtual_bytes)),
                 gauge("process_open_fds", "File descriptors that are open.", str_cat(used.open_files)),
                 gauge("process_max_fds", "File descriptors that may be open.", str_cat(used.open_files_max)),
                 gauge("process_start_time_seconds", "When the process began.", metric_number(used.start_time)));
}

std::string Rest::storage_metrics() const {
  std::map<std::string, size_t> objects;  // versions of a resource share what is stored
  const auto add = [&](const api::KindDesc& kind) {
    const std::string name =
        kind.group.empty() ? std::string(kind.plural) : str_cat(kind.plural, ".", kind.group);
    objects[name] = std::max(objects[name], server_->cache(kind).size());
  };
  for (const api::KindDesc* kind : api::all_kinds())
    if (!kind->storage_prefix.empty() && !kind->plural.empty()) add(*kind);
  for (const auto& [name, resource] : server_->custom_kinds().all())
    if (resource->storage) add(*resource->storage);
  std::string out = metric_head("apiserver_storage_objects", "gauge", "[STABLE] Stored objects, by kind.");
  for (const auto& [name, count] : objects)
    out += str_cat("apiserver_storage_objects{resource=\"", name, "\"} ", uint64_t{count}, "\n");
  return out;
}

}  // namespace orrery::server
