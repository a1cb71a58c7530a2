// Subresources that another server answers: a kubelet, or what a pod or service runs.
#include "engine/api/names.h"
#include "engine/server/connect/kubelet_answer.h"
#include "engine/server/connect/kubelet_request.h"
#include "engine/server/connect/url.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/upgrade.h"

namespace orrery::server {
namespace {

constexpr std::string_view kProxy = "proxy";

ApiResponse failed(Status status) {
  ApiResponse response;
  response.status = std::move(status);
  return response;
}

// What stands behind ".../proxy": "" or rooted, with the slash at its end if the client has one.
std::string proxied_path(const RequestInfo& info) {
  std::string path;
  for (size_t i = 3; i < info.parts.size(); ++i) path += "/" + info.parts[i];
  if (info.path.ends_with("/") && !path.ends_with("/")) path += "/";
  if (path.empty()) return path;
  std::string clean = clean_path(path);
  if (path.ends_with("/") && clean != "/") clean += "/";
  return clean;
}

std::string proxy_prefix(const RequestInfo& info) {
  const std::string scope = info.ns.empty() ? "" : str_cat("/namespaces/", info.ns);
  return str_cat("/api/", info.version, scope, "/", info.resource, "/", info.name, "/proxy");
}

}  // namespace

bool Rest::is_connect(const RequestInfo& info) {
  const std::string& what = info.subresource;
  return info.group.empty() && (what == "log" || what == "exec" || what == "attach" ||
                                what == "portforward" || what == kProxy);
}

void Rest::serve_connect(uint64_t id, Exchange& exchange, HttpRequest& http) {
  const RequestInfo& info = exchange.info;
  exchange.connect = std::make_unique<Connect>();
  exchange.connect->http = std::move(http);
  std::string name = info.name;
  if (info.subresource == "log") {
    auto options = read_log_options(exchange.query);
    if (!options.is_ok()) return fail(id, options.status());
    const ApiResponse wrong = invalid_response(*corev1::PodLogOptions::descriptor().kind, info.name,
                                               check_log_options(*options));
    if (!wrong.status.is_ok()) return fail(id, wrong);
  } else if (info.subresource == kProxy) {
    const auto proxied = split_proxy_name(info.name);
    if (!proxied)
      return fail(id, bad_request(str_cat("invalid ", exchange.kind->singular, " request ",
                                          api::quoted(info.name))));
    name = proxied->name;
    if (info.resource == "services") {
      auto location = service_location(*proxied, info.name, info.ns, *server_, rng_.next());
      if (location.is_ok()) return forward_proxy(id, exchange, *location);
      if (location.status().code() != Code::kNotFound) return fail(id, location.status());
      const bool service = location.status().message().starts_with("services ");
      return fail(id, missing_object(service ? *exchange.kind : *corev1::Endpoints::descriptor().kind, name));
    }
  }
  ApiRequest request;
  request.verb = ApiVerb::kGet;
  request.kind = exchange.kind;
  request.ns = Str(info.ns);
  request.name = Str(name);
  request.identity = exchange.user;
  server_->call({lane_, id}, std::move(request));
}

// The object that the subresource is of has been read.
void Rest::on_connect_target(uint64_t id, Exchange& exchange, const ApiResponse& response, Time now) {
  const std::string& what = exchange.info.subresource;
  if (response.status.code() == Code::kNotFound && what == kProxy)
    return fail(id, missing_object(*exchange.kind, split_proxy_name(exchange.info.name)->name));
  if (!response.status.is_ok()) return fail(id, response);
  if (what == kProxy) return connect_proxy(id, exchange, response.object);
  if (what == "log") return connect_log(id, exchange, response.object, now);
  connect_stream(id, exchange, response.object);
}

Result<KubeletAddress> Rest::kubelet_of(const Str& node_name) const {
  const api::KindDesc& kind = *corev1::Node::descriptor().kind;
  const api::Object node = server_->find(kind, "", node_name);
  if (!node) return not_found_error(kind, node_name);
  return kubelet_address(node.get<corev1::Node>(), options_.kubelet_preferred_address_types);
}

// A node without an address is no failure with a reason.
void Rest::fail_kubelet(uint64_t id, const Str& node_name, const Status& status) {
  if (status.code() == Code::kInternal) return fail(id, plain_failure(status.message()));
  fail(id, missing_object(*corev1::Node::descriptor().kind, node_name));
}

void Rest::connect_log(uint64_t id, Exchange& exchange, const api::Object& object, Time now) {
  const auto& pod = object.get<corev1::Pod>();
  const corev1::PodLogOptions options = *read_log_options(exchange.query);
  const auto container = choose_container(pod, options.container.str());
  if (!container.is_ok()) return fail(id, container.status());
  if (pod.spec->node_name.empty()) {
    finished(exchange, 204);
    transport_->respond(id, {204, {{"cache-control", "no-cache, private"}}, ""});
    return forget(id);
  }
  if (logs_) return serve_own_log(id, exchange, object, *container, options, now);
  const auto kubelet = kubelet_of(pod.spec->node_name);
  if (!kubelet.is_ok()) return fail_kubelet(id, pod.spec->node_name, kubelet.status());
  forward(id, exchange, log_request(*kubelet, pod, *container, options));
}

void Rest::connect_stream(uint64_t id, Exchange& exchange, const api::Object& object) {
  const auto& pod = object.get<corev1::Pod>();
  const std::string& what = exchange.info.subresource;
  const HttpRequest& http = exchange.connect->http;
  const corev1::PodExecOptions options = read_exec_options(exchange.query);
  const auto ports = kubelet_port_query(exchange.query);
  std::string container;
  if (what != "portforward") {
    auto chosen = choose_container(pod, options.container.str());
    if (!chosen.is_ok()) return fail(id, chosen.status());
    container = std::move(*chosen);
  } else if (!ports.is_ok()) {
    return fail(id, ports.status());
  }
  if (pod.spec->node_name.empty())
    return fail(id, bad_request(str_cat("pod ", pod.metadata->name, " does not have a host assigned")));
  const auto kubelet = kubelet_of(pod.spec->node_name);
  if (!kubelet.is_ok()) return fail_kubelet(id, pod.spec->node_name, kubelet.status());
  if (!is_upgrade(http)) return fail(id, bad_request("Upgrade request required"));
  forward(id, exchange,
          what == "portforward" ? port_forward_request(*kubelet, pod, *ports, http)
                                : command_request(*kubelet, pod, container, what, options, http));
}

void Rest::connect_proxy(uint64_t id, Exchange& exchange, const api::Object& object) {
  const ProxyName asked = *split_proxy_name(exchange.info.name);
  if (const auto* pod = object.as<corev1::Pod>()) {
    const auto location = pod_location(asked, *pod);
    return location.is_ok() ? forward_proxy(id, exchange, *location) : fail(id, location.status());
  }
  const auto kubelet = kubelet_of(Str(asked.name));
  if (!kubelet.is_ok()) return fail_kubelet(id, Str(asked.name), kubelet.status());
  const bool own = asked.port.empty() || asked.port == str_cat(kubelet->port);
  ProxyName other = asked;
  if (own) other.port = str_cat(kubelet->port);
  int port = 0;
  for (const char c : other.port) port = c >= '0' && c <= '9' && port < 65536 ? port * 10 + c - '0' : 65536;
  if (port > 65535) return fail(id, bad_request(str_cat("invalid node request ", api::quoted(exchange.info.name))));
  forward_proxy(id, exchange, {asked.scheme == "https", kubelet->host, port},
                own ? ProxiedNode::kKubelet : ProxiedNode::kOther);
}

void Rest::forward_proxy(uint64_t id, Exchange& exchange, const ProxyLocation& location, ProxiedNode node) {
  const HttpRequest& http = exchange.connect->http;
  const std::string path = proxied_path(exchange.info);
  if (path.empty() && !is_upgrade(http) && (http.method == "GET" || http.method == "HEAD")) {
    const std::string query = http.query.empty() ? "" : "?" + http.query;
    finished(exchange, 301);
    transport_->respond(id, {301, {{"location", exchange.info.path + "/" + query}}, ""});
    return forget(id);
  }
  HttpForward to = proxy_request(location, proxy_prefix(exchange.info), path.empty() ? "/" : path, http);
  if (node == ProxiedNode::kKubelet) to.peer = HttpForward::Peer::kKubelet;
  to.public_only = node == ProxiedNode::kOther;
  forward(id, exchange, std::move(to));
}

void Rest::forward(uint64_t id, Exchange& exchange, HttpForward to) {
  exchange.connect->url = url_of_forward(to);
  exchange.connect->upgrades = to.tunnel != HttpForward::Tunnel::kNone;
  exchange.connect->http = HttpRequest();
  exchange.connect->forwarded = true;
  counts_.running(exchange.info, 1);
  audit(exchange, AuditStage::kResponseStarted, exchange.connect->upgrades ? 101 : 200);
  transport_->forward(id, std::move(to));
}

void Rest::on_forwarded(uint64_t id) {
  const HttpForwardOutcome outcome = transport_->take_forward(id);
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  Exchange& exchange = it->second;
  counts_.running(exchange.info, -1);
  exchange.connect->forwarded = false;
  if (outcome.answered != 0) {
    finished(exchange, outcome.answered);
    return forget(id);
  }
  const std::string& why = outcome.status.message();
  if (outcome.status.is_ok()) return fail(id, refused_log(outcome.failure, exchange.info.name));
  if (outcome.status.code() == Code::kBadRequest) return fail(id, outcome.status);
  if (exchange.info.subresource == "log")
    return fail(id, plain_failure(str_cat("Get ", api::quoted(exchange.connect->url), ": ", why)));
  if (exchange.connect->upgrades)
    return fail(id, plain_failure(str_cat("error dialing backend: ", why)));
  fail(id, failed(Status(Code::kServiceUnavailable, str_cat("error trying to reach service: ", why))));
}

}  // namespace orrery::server
