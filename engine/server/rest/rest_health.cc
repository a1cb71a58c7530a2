// /healthz, /livez and /readyz. Source: Kubernetes v1.32 apiserver/pkg/server/healthz.
#include <algorithm>
#include <set>

#include "engine/api/names.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"

namespace orrery::server {
namespace {

constexpr Duration kPatience = Duration::seconds(2);  // upstream's etcd health-check-timeout

struct Check {
  std::string_view name;
  bool asks_store = false;
  bool only_ready = false;  // not part of /healthz and /livez
};
// What has no question to ask has been done before the first request is taken.
constexpr Check kChecks[] = {{"ping"},
                             {"log"},
                             {"etcd", true},
                             {"etcd-readiness", true, true},
                             {"informer-sync", false, true},
                             {"poststarthook/start-apiserver-admission-initializer"},
                             {"poststarthook/generic-apiserver-start-informers"},
                             {"poststarthook/priority-and-fairness-config-consumer"},
                             {"poststarthook/priority-and-fairness-filter"},
                             {"poststarthook/storage-object-count-tracker-hook"},
                             {"poststarthook/start-apiextensions-informers"},
                             {"poststarthook/start-apiextensions-controllers"},
                             {"poststarthook/crd-informer-synced"},
                             {"poststarthook/start-system-namespaces-controller"},
                             {"poststarthook/start-cluster-authentication-info-controller"},
                             {"poststarthook/start-kube-apiserver-identity-lease-controller"},
                             {"poststarthook/start-kube-apiserver-identity-lease-garbage-collector"},
                             {"poststarthook/start-legacy-token-tracking-controller"},
                             {"poststarthook/start-service-ip-repair-controllers"},
                             {"poststarthook/rbac/bootstrap-roles"},
                             {"poststarthook/scheduling/bootstrap-system-priority-classes"},
                             {"poststarthook/priority-and-fairness-config-producer"},
                             {"poststarthook/bootstrap-controller"},
                             {"poststarthook/start-kube-aggregator-informers"},
                             {"poststarthook/apiservice-status-local-available-controller"},
                             {"poststarthook/apiservice-status-remote-available-controller"},
                             {"poststarthook/apiservice-registration-controller"},
                             {"poststarthook/apiservice-discovery-controller"},
                             {"poststarthook/kube-apiserver-autoregistration"},
                             {"autoregister-completion"},
                             {"poststarthook/apiservice-openapi-controller"},
                             {"poststarthook/apiservice-openapiv3-controller"},
                             {"shutdown", false, true}};

std::vector<Check> checks_of(std::string_view endpoint) {
  std::vector<Check> out;
  for (const Check& check : kChecks)
    if (!check.only_ready || endpoint == "readyz") out.push_back(check);
  return out;
}

// "/livez/etcd" -> livez, etcd.
std::pair<std::string_view, std::string_view> parts_of(std::string_view path) {
  path.remove_prefix(1);
  while (path.ends_with("/")) path.remove_suffix(1);
  const size_t slash = std::min(path.find('/'), path.size());
  return {path.substr(0, slash), path.substr(std::min(slash + 1, path.size()))};
}

}  // namespace

std::vector<std::string> Rest::health_paths() {
  std::vector<std::string> paths;
  for (const std::string_view endpoint : {"healthz", "livez", "readyz"})
    for (const Check& check : checks_of(endpoint)) paths.push_back(str_cat("/", endpoint, "/", check.name));
  return paths;
}

bool Rest::is_health(std::string_view path) {
  const std::string_view endpoint = path.empty() ? path : parts_of(path).first;
  return endpoint == "healthz" || endpoint == "livez" || endpoint == "readyz";
}

void Rest::serve_health(uint64_t id, Exchange& exchange, Time now) {
  const auto [endpoint, name] = parts_of(exchange.info.path);
  const std::vector<Check> checks = checks_of(endpoint);
  const auto one = std::find_if(checks.begin(), checks.end(), [name = name](const Check& c) { return c.name == name; });
  if (!name.empty() && one == checks.end()) return respond_missing(id);
  if (!name.empty() && !one->asks_store) return answer_health(id, exchange, true);
  exchange.health = true;
  exchange.deadline = timers_->arm(lane_, now + kPatience, {EventKind::kTimer, kHealthTimer, id, 0});
  server_->probe({lane_, id});
}

void Rest::answer_health(uint64_t id, Exchange& exchange, bool store_answers) {
  const auto [endpoint, name] = parts_of(exchange.info.path);
  const std::vector<std::string> asked = exchange.query.all("exclude");
  if (!name.empty())
    return store_answers ? respond(id, 200, kPlainText, "ok")
                         : respond(id, 500, kPlainText, "internal server error: etcd failed: reason withheld\n");
  std::set<std::string> excluded(asked.begin(), asked.end());
  std::string body;
  bool fine = true;
  for (const Check& check : checks_of(endpoint)) {
    if (excluded.erase(std::string(check.name)) > 0) {
      body += str_cat("[+]", check.name, " excluded: ok\n");
    } else if (check.asks_store && !store_answers) {
      fine = false;
      body += str_cat("[-]", check.name, " failed: reason withheld\n");
    } else {
      body += str_cat("[+]", check.name, " ok\n");
    }
  }
  if (!excluded.empty()) {
    std::vector<std::string> unknown;
    for (const std::string& one : excluded) unknown.push_back(api::quoted(one));
    body += str_cat("warn: some health checks cannot be excluded: no matches for ", api::join(unknown, ","), "\n");
  }
  if (!fine) return respond(id, 500, kPlainText, str_cat(body, endpoint, " check failed\n"));
  respond(id, 200, kPlainText, exchange.query.has("verbose") ? str_cat(body, endpoint, " check passed\n") : "ok");
}

}  // namespace orrery::server
