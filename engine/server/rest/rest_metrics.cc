// What the server tells of itself: its paths and its metrics.
#include <set>

#include "engine/server/rest/rest.h"

namespace orrery::server {
namespace {

constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

void Rest::finished(Exchange& exchange, int code) {
  counts_.finished(exchange.info, exchange.kind != nullptr, code);
  audit(exchange, AuditStage::kResponseComplete, code);
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
  api::Json out = api::Json::object();
  api::Json& list = out.set("paths", api::Json::array());
  for (const std::string& path : paths) list.push_back(path);
  respond(id, 200, "application/json", out.dump());
}

void Rest::serve_metrics(uint64_t id) {
  respond(id, 200, kMetricsText, counts_.text() + flow_.metrics() + storage_metrics());
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
  std::string out =
      "# HELP apiserver_storage_objects [STABLE] Stored objects, by kind.\n# TYPE "
      "apiserver_storage_objects gauge\n";
  for (const auto& [name, count] : objects)
    out += str_cat("apiserver_storage_objects{resource=\"", name, "\"} ", uint64_t{count}, "\n");
  return out;
}

}  // namespace orrery::server
