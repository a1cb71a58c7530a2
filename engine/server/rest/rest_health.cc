// /healthz, /livez and /readyz. Source: Kubernetes v1.32 apiserver/pkg/server/healthz.
#include <algorithm>
#include <set>

#include "engine/api/names.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"

namespace orrery::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
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
                             {"poststarthook/crd-informer-synced"},
                             {"poststarthook/start-system-namespaces-controller"},
                             {"poststarthook/rbac/bootstrap-roles"},
                             {"poststarthook/scheduling/bootstrap-system-priority-classes"},
                             {"poststarthook/priority-and-fairness-config-producer"},
                             {"poststarthook/bootstrap-controller"},
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

bool Rest::is_health(std::string_view path) {
  const std::string_view endpoint = path.empty() ? path : parts_of(path).first;
  return endpoint == "healthz" || endpoint == "livez" || endpoint == "readyz";
}

void Rest::serve_health(uint64_t id, Exchange& exchange, Time now) {
  const auto [endpoint, name] = parts_of(exchange.info.path);
  const std::vector<Check> checks = checks_of(endpoint);
  const auto one = std::find_if(checks.begin(), checks.end(), [name = name](const Check& c) { return c.name == name; });
  if (!name.empty() && one == checks.end()) return respond(id, 404, kText, "404 page not found\n");
  if (!name.empty() && !one->asks_store) return answer_health(id, exchange, true);
  exchange.health = true;
  exchange.deadline = timers_->arm(lane_, now + kPatience, {EventKind::kTimer, kHealthTimer, id, 0});
  server_->probe({lane_, id});
}

void Rest::answer_health(uint64_t id, Exchange& exchange, bool store_answers) {
  const auto [endpoint, name] = parts_of(exchange.info.path);
  const std::vector<std::string> asked = exchange.query.all("exclude");
  if (!name.empty())
    return store_answers ? respond(id, 200, kText, "ok")
                         : respond(id, 500, kText, "internal server error: etcd failed: reason withheld\n");
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
  if (!fine) return respond(id, 500, kText, str_cat(body, endpoint, " check failed\n"));
  respond(id, 200, kText, exchange.query.has("verbose") ? str_cat(body, endpoint, " check passed\n") : "ok");
}

}  // namespace orrery::server
