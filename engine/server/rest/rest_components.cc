// componentstatuses: whether scheduler, controllers and store are well, asked anew each time. Source:
// Kubernetes v1.32 pkg/registry/core/componentstatus and componentStatusStorage of registry/core/rest.
#include <iterator>

#include "engine/api/names.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"

namespace orrery::server {
namespace {

constexpr Duration kPatience = Duration::seconds(20);
constexpr size_t kTextMax = 10 << 10;
constexpr std::string_view kStore = "etcd-0";

struct CheckedComponent {
  std::string_view name;
  std::string_view address;  // of its health check; "": it is the store
};
constexpr CheckedComponent kComponents[] = {
    {"controller-manager", "127.0.0.1:10257"}, {"scheduler", "127.0.0.1:10259"}, {kStore, ""}};

size_t index_of(std::string_view name) {
  size_t index = 0;
  while (kComponents[index].name != name) ++index;
  return index;
}

std::string health_url(const CheckedComponent& component) {
  return str_cat("https://", component.address, "/healthz");
}

corev1::ComponentCondition condition(std::string_view status, std::string_view message, std::string_view error = "") {
  corev1::ComponentCondition out;
  out.type = "Healthy";
  out.status = Str(status);
  out.message = Str(message);
  out.error = Str(error);
  return out;
}

corev1::ComponentCondition not_reached(const CheckedComponent& component, std::string_view why) {
  return condition("False", str_cat("Get ", api::quoted(health_url(component)), ": ", why));
}

corev1::ComponentCondition told_by(const CheckedComponent& component, const HttpCallOutcome& outcome) {
  if (outcome.status.code() == Code::kTimeout)
    return not_reached(component, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
  if (!outcome.status.is_ok()) return not_reached(component, outcome.status.message());
  const int code = outcome.response.code;
  const std::string_view body = std::string_view(outcome.response.body).substr(0, kTextMax);
  if (code >= 200 && code < 300) return condition("True", body);
  if (code >= 300 && code < 400)
    return condition("Unknown", str_cat("Probe terminated redirects, Response body: ", body));
  return condition("False", str_cat("HTTP probe failed with statuscode: ", code));
}

corev1::ComponentCondition store_condition(const Status& status) {
  if (status.is_ok()) return condition("True", "ok");
  return condition("False", "", str_cat("error getting data from etcd: ", status.message()));
}

}  // namespace

void Rest::serve_components(uint64_t id, Exchange& exchange, Time now) {
  note_deprecated(exchange, "v1 ComponentStatus is deprecated in v1.19+");
  const std::string& name = exchange.info.name;
  const bool one = exchange.info.verb == "get";
  const Query& query = exchange.query;
  const auto selection = Selection::make(*exchange.kind, "", query.get("labelSelector"), query.get("fieldSelector"));
  if (!one && !selection.is_ok()) return fail(id, selection.status());
  exchange.components = std::make_unique<Components>();
  std::vector<std::string> asked;
  for (const CheckedComponent& component : kComponents) {
    corev1::ComponentStatus status;
    status.metadata.mut().name = Str(component.name);
    if (one ? name != component.name : !selection->matches(api::Object::of(status))) continue;
    exchange.components->statuses.push_back(std::move(status));
    asked.emplace_back(component.name);
  }
  if (asked.empty() && one) {
    ApiResponse failure;
    failure.status = Status(Code::kInternal, str_cat("Component not found: ", name));
    failure.unclassified = true;
    return fail(id, failure);
  }
  exchange.components->awaited = asked.size();
  if (asked.empty()) return answer_components(id, exchange, now);
  for (const std::string& component : asked) ask_component(id, component, now);  // the last answer ends the exchange
}

void Rest::ask_component(uint64_t id, const std::string& name, Time now) {
  const size_t index = index_of(name);
  const CheckedComponent& component = kComponents[index];
  const Ticket ticket{lane_, kComponentOps | index << 56 | id};
  if (name == kStore) {
    Components& components = *exchanges_.at(id).components;
    components.store_patience = timers_->arm(lane_, now + kPatience, {EventKind::kTimer, kComponentTimer, id, 0});
    return server_->probe(ticket);
  }
  if (with_components_) return tell_component(id, name, condition("True", "ok"), now);
  if (!http_)
    return tell_component(id, name,
                          not_reached(component, str_cat("dial tcp ", component.address, ": connect: connection refused")), now);
  HttpCall call;
  call.url = health_url(component);
  call.method = "GET";
  call.headers = {{"user-agent", "kube-probe/1.32"}, {"accept", "*/*"}};
  call.any_server = true;
  call.timeout = kPatience;
  http_->call(ticket, std::move(call));
}

void Rest::on_component(uint64_t op, uint64_t handle, Time now) {
  const CheckedComponent& component = kComponents[op >> 56 & 3];
  const uint64_t id = op & ((uint64_t{1} << 56) - 1);
  if (component.name == kStore) return tell_component(id, kStore, store_condition(server_->take(handle).status), now);
  tell_component(id, component.name, told_by(component, http_->take(handle)), now);
}

void Rest::give_up_store(uint64_t id, Time now) {
  tell_component(id, kStore, store_condition(Status(Code::kTimeout, "context deadline exceeded")), now);
}

void Rest::tell_component(uint64_t id, std::string_view name, corev1::ComponentCondition condition, Time now) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  Components& components = *it->second.components;
  for (corev1::ComponentStatus& status : components.statuses) {
    if (status.metadata->name != name || !status.conditions.empty()) continue;
    status.conditions.push_back(std::move(condition));
    if (--components.awaited == 0) answer_components(id, it->second, now);
    return;
  }
}

void Rest::answer_components(uint64_t id, const Exchange& exchange, Time now) {
  ApiResponse response;
  for (const corev1::ComponentStatus& status : exchange.components->statuses)
    response.items.push_back(api::Object::of(status));
  const Encoding encoding = encoding_of(exchange, now);
  respond(id, 200, exchange.representation.content_type(),
          exchange.info.verb == "get" ? encode_object(encoding, response.items[0]) : encode_list(encoding, response));
}

}  // namespace orrery::server
