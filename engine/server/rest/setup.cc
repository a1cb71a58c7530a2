// How an API server begins, and who its clients are.
#include "engine/server/rest/setup.h"

#include "engine/api/names.h"
#include "engine/server/auth/impersonation.h"
#include "engine/server/bootstrap/bootstrap_objects.h"
#include "engine/server/flow/flow_status.h"
#include "engine/server/rest/body.h"
#include "engine/server/rest/rest.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

constexpr Duration kBootstrapDelay = Duration::seconds(1);

}  // namespace

AuthenticatorOptions authenticator_options(const ServerOptions& options) {
  AuthenticatorOptions out;
  out.anonymous = options.anonymous_auth;
  out.bootstrap_tokens = options.bootstrap_tokens;
  out.client_certificates = options.client_certificates;
  for (const StaticToken& row : options.tokens) {
    ApiUser user;
    user.name = Str(row.user);
    user.uid = Str(row.uid);
    for (const std::string& group : row.groups) user.groups.push_back(Str(group));
    out.static_tokens.set(Str(row.token), std::move(user));
  }
  for (const std::string& issuer : options.service_account_issuers) out.issuers.push_back(Str(issuer));
  for (const std::string& audience : options.service_account_audiences) out.api_audiences.push_back(Str(audience));
  return out;
}

FlowControl::Options flow_options(const ServerOptions& options) {
  FlowControl::Options out;
  out.seats = options.max_requests_inflight + options.max_mutating_requests_inflight;
  out.wait_max = Duration::nanos(options.request_timeout.ns / 4);
  return out;
}

std::string first_address(std::string_view cidr) {
  uint32_t address = 0, part = 0;
  int dots = 0;
  for (char c : cidr.substr(0, std::min(cidr.find('/'), cidr.size()))) {
    if (c == '.') {
      address = address << 8 | part;
      part = 0;
      ++dots;
    } else if (c >= '0' && c <= '9') {
      part = part * 10 + static_cast<uint32_t>(c - '0');
    } else {
      return "";
    }
  }
  if (dots != 3) return "";
  address = (address << 8 | part) + 1;
  return str_cat(address >> 24, ".", address >> 16 & 255, ".", address >> 8 & 255, ".", address & 255);
}

void Rest::on_change(const api::KindDesc& kind, const api::Object& old, const api::Object& fresh) {
  if (Authorizer::watches(kind)) authorizer_.on_change(kind, old, fresh);
  if (FlowControl::watches(kind)) {
    flow_.on_change(kind, old, fresh);
    tend_flow_schemas(fresh);
  }
  if (kind.type == &apiextensionsv1::CustomResourceDefinition::descriptor()) {
    served_.set_custom(server_->custom_kinds().served());
    end_watches_of_gone_kinds();
  }
}

// Flow schemas tell whether their priority level is there; `changed` is a schema, a level, or null.
void Rest::tend_flow_schemas(const api::Object& changed) {
  using flowcontrolv1::FlowSchema;
  using flowcontrolv1::PriorityLevelConfiguration;
  std::vector<api::Object> schemas = {changed};
  if (!changed || !changed.is<FlowSchema>()) schemas = server_->list(*FlowSchema::descriptor().kind, "");
  for (const api::Object& object : schemas) {
    const auto& schema = object.get<FlowSchema>();
    const Str& level = schema.spec->priority_level_configuration.name;
    const bool found = static_cast<bool>(server_->find(*PriorityLevelConfiguration::descriptor().kind, "", level));
    if (auto update = dangling_update(schema, found, timers_->now())) server_->call({}, std::move(*update));
  }
}

// Namespaces first, then what lives in them.
void Rest::begin() {
  std::vector<api::Object> namespaces;
  for (api::Object& object : bootstrap_objects()) {
    const bool is_namespace = object.kind()->kind == "Namespace";
    (is_namespace ? namespaces : to_bootstrap_).push_back(std::move(object));
  }
  const KubernetesService service{Str(first_address(options_.service_cidr)), Str(options_.advertise_address),
                                  options_.advertise_port};
  for (api::Object& object : kubernetes_service(service)) to_bootstrap_.push_back(std::move(object));
  create_all(std::move(namespaces));
}

void Rest::create_all(std::vector<api::Object> objects) {
  bootstrapping_ = objects.size();
  for (api::Object& object : objects) {
    ApiRequest request;
    request.verb = ApiVerb::kCreate;
    request.kind = object.kind();
    clear_type_meta(object);
    request.ns = object.meta().namespace_;
    request.field_manager = FlowControl::watches(*object.kind()) ? Str(kFlowProducer) : Str(kBootstrapManager);
    request.object = std::move(object);
    server_->call({lane_, kBootstrapOp}, std::move(request));
  }
}

// What is there already stays as it is. A store that does not answer may do so later.
void Rest::on_bootstrapped(const ApiResponse& response) {
  const Code code = response.status.code();
  const bool failed = code == Code::kServiceUnavailable || code == Code::kTimeout || code == Code::kInternal;
  CHECK(failed || response.status.is_ok() || code == Code::kAlreadyExists) << response.status.message();
  bootstrap_failed_ = bootstrap_failed_ || failed;
  if (--bootstrapping_ > 0) return;
  if (std::exchange(bootstrap_failed_, false)) {
    to_bootstrap_.clear();
    timers_->arm(lane_, timers_->now() + kBootstrapDelay, {EventKind::kStart, 0, 0, 0});
    return;
  }
  if (!to_bootstrap_.empty()) return create_all(std::exchange(to_bootstrap_, {}));
  transport_->subscribe(lane_);
  if (ready_.lane.valid()) lanes_->post(ready_.lane, {EventKind::kDone, 0, ready_.op, 0});
}

namespace {

// As upstream writes requests into pages.
std::string without_markup(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

// Source: Kubernetes v1.32 apiserver/pkg/authentication/request/bearertoken/bearertoken.go.
bool has_space_before_token(std::string_view authorization) {
  return lower(authorization.substr(0, 8)) == "bearer  " && trim_space(authorization).size() > 8;
}

}  // namespace

bool Rest::identify(uint64_t id, Exchange& exchange, const HttpRequest& http, Time now) {
  if (has_space_before_token(find_header(http.headers, "authorization")))
    exchange.warnings.push_back("the provided Authorization header contains extra space before the bearer token, and is ignored");
  auto who = authenticator_.authenticate(http, now);
  begin_audit(exchange, http, who.is_ok() ? who->user : ApiUser(), now);
  if (!who.is_ok()) {
    fail(id, who.status());
    return false;
  }
  Impersonation as = impersonate(http, who->user, authorizer_);
  if (as.refusal.status.code() == Code::kInternal) {
    const std::string uri = http.query.empty() ? http.path : str_cat(http.path, "?", http.query);
    respond(id, 500, "text/plain; charset=utf-8",
            str_cat("Internal Server Error: ", without_markup(api::quoted(uri)), ": ", as.refusal.status.message(), "\n"));
    return false;
  }
  if (!as.refusal.is_ok()) {
    exchange.is_forbidden = true;
    fail(id, response_of(as.refusal));
    return false;
  }
  if (exchange.audit && as.impersonated) exchange.audit->impersonated = as.user;
  exchange.user = Ref<ApiUser>::make(std::move(as.user));
  return true;
}

bool Rest::authorized(uint64_t id, Exchange& exchange) {
  const RequestInfo& info = exchange.info;
  Attributes attributes;
  attributes.user = *exchange.user;
  attributes.verb = Str(info.verb);
  attributes.is_resource = info.is_resource;
  attributes.group = Str(info.group);
  attributes.version = Str(info.version);
  attributes.resource = Str(info.resource);
  attributes.subresource = Str(info.subresource);
  attributes.ns = Str(info.ns);
  attributes.name = Str(info.name);
  attributes.path = Str(info.path);
  if (exchange.query.has("fieldSelector")) {
    auto selector = api::FieldSelector::parse(exchange.query.get("fieldSelector"));
    if (selector.is_ok()) attributes.field_selector = std::move(*selector);
  }
  const Decision decision = authorizer_.authorize(attributes);
  if (exchange.audit) exchange.audit->decision = decision;
  if (decision.allowed) return true;
  exchange.is_forbidden = true;
  fail(id, response_of(forbidden(attributes, decision.reason)));
  return false;
}

}  // namespace orrery::server
