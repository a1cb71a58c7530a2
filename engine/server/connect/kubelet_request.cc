#include "engine/server/connect/kubelet_request.h"

#include "engine/server/connect/url.h"
#include "engine/server/rest/upgrade.h"

namespace orrery::server {
namespace {

constexpr std::string_view kStreamVersion = "x-stream-protocol-version";

// Who the client is stays here: the other server is told nothing that it could use elsewhere.
bool is_private(std::string_view name) {
  return name == "authorization" || name.starts_with("impersonate-") || name == "host" ||
         name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
         name == "proxy-authorization" || name == "te" || name == "trailer" ||
         name == "transfer-encoding" || name == "content-length" || name == "upgrade" ||
         name == "expect" || name == "sec-websocket-protocol" || name == "x-forwarded-for";
}

std::string without_port(const std::string& address) {
  const std::string host = address.substr(0, address.rfind(':'));
  return host.starts_with("[") && host.ends_with("]") ? host.substr(1, host.size() - 2) : host;
}

HttpHeaders passed_headers(const HttpRequest& client) {
  HttpHeaders out;
  std::string forwarded_for;
  for (const auto& [name, value] : client.headers) {
    if (name == "x-forwarded-for") forwarded_for += value + ", ";
    if (!is_private(name)) out.emplace_back(name, value);
  }
  std::string protocols;
  for (const std::string_view protocol : header_list(client.headers, "sec-websocket-protocol"))
    if (!protocol.starts_with("base64url.bearer."))
      protocols += str_cat(protocols.empty() ? "" : ", ", protocol);
  if (!protocols.empty()) out.emplace_back("sec-websocket-protocol", protocols);
  out.emplace_back("x-forwarded-for", forwarded_for + without_port(client.remote_address));
  if (is_upgrade(client))
    out.emplace_back("upgrade", std::string(find_header(client.headers, "upgrade")));
  return out;
}

HttpForward kubelet_request(const KubeletAddress& kubelet, std::string path, std::string query) {
  HttpForward out;
  out.peer = HttpForward::Peer::kKubelet;
  out.host = kubelet.host;
  out.port = kubelet.port;
  out.target = escape_path(path) + (query.empty() ? "" : "?" + query);
  return out;
}

void pass_through(const HttpRequest& client, HttpForward& out) {
  out.tunnel = HttpForward::Tunnel::kBytes;
  out.method = client.method;
  out.headers = passed_headers(client);
  out.body = client.body;
}

void upgrade_to_spdy(std::initializer_list<std::string_view> protocols, HttpForward& out) {
  out.method = "POST";
  out.headers.emplace_back("upgrade", "SPDY/3.1");
  for (const std::string_view protocol : protocols) out.headers.emplace_back(kStreamVersion, protocol);
}

}  // namespace

HttpForward log_request(const KubeletAddress& kubelet, const corev1::Pod& pod,
                        const std::string& container, const corev1::PodLogOptions& options) {
  HttpForward out = kubelet_request(
      kubelet,
      str_cat("/containerLogs/", pod.metadata->namespace_, "/", pod.metadata->name, "/", container),
      kubelet_log_query(options));
  if (options.insecure_skip_tls_verify_backend) out.peer = HttpForward::Peer::kUnverifiedKubelet;
  out.method = "GET";
  out.keep_failures = true;
  out.answer_headers = {{"cache-control", "no-cache, private"}, {"content-type", "text/plain"}};
  return out;
}

HttpForward command_request(const KubeletAddress& kubelet, const corev1::Pod& pod,
                            const std::string& container, std::string_view what,
                            const corev1::PodExecOptions& options, const HttpRequest& client) {
  HttpForward out = kubelet_request(
      kubelet,
      str_cat("/", what, "/", pod.metadata->namespace_, "/", pod.metadata->name, "/", container),
      kubelet_exec_query(options));
  if (!is_websocket(client) || !offers_protocol(client, kRemoteCommandV5)) {
    pass_through(client, out);
    return out;
  }
  out.tunnel = HttpForward::Tunnel::kRemoteCommand;
  out.subprotocol = kRemoteCommandV5;
  out.standard_input = options.stdin;
  out.standard_output = options.stdout;
  out.standard_error = options.stderr;
  out.terminal = options.tty;
  upgrade_to_spdy({kRemoteCommandV5, "v4.channel.k8s.io"}, out);
  return out;
}

HttpForward port_forward_request(const KubeletAddress& kubelet, const corev1::Pod& pod,
                                 const std::string& query, const HttpRequest& client) {
  HttpForward out = kubelet_request(
      kubelet, str_cat("/portForward/", pod.metadata->namespace_, "/", pod.metadata->name), query);
  if (!is_websocket(client) || !offers_protocol(client, kPortForwardTunnel)) {
    pass_through(client, out);
    return out;
  }
  out.tunnel = HttpForward::Tunnel::kWebSocketBytes;
  out.subprotocol = kPortForwardTunnel;
  upgrade_to_spdy({"portforward.k8s.io"}, out);
  return out;
}

HttpForward proxy_request(const ProxyLocation& location, std::string_view prefix,
                          std::string_view path, const HttpRequest& client) {
  HttpForward out;
  pass_through(client, out);
  if (!is_upgrade(client)) out.tunnel = HttpForward::Tunnel::kNone;
  out.peer = location.tls ? HttpForward::Peer::kUnverified : HttpForward::Peer::kPlain;
  out.host = location.host;
  out.port = location.port;
  out.target = escape_path(path) + (client.query.empty() ? "" : "?" + client.query);
  if (const auto host = find_header(client.headers, "host"); !host.empty()) out.headers.emplace_back("host", std::string(host));
  if (is_upgrade(client)) return out;
  std::erase_if(out.headers, [](const auto& field) { return field.first == "x-forwarded-uri"; });
  out.headers.emplace_back("x-forwarded-uri", escape_path(str_cat(prefix, path)));
  out.seen_behind = prefix;
  return out;
}

std::string url_of_forward(const HttpForward& forward) {
  const bool six = forward.host.find(':') != std::string::npos;
  return str_cat(forward.peer == HttpForward::Peer::kPlain ? "http://" : "https://", six ? "[" : "",
                 forward.host, six ? "]" : "", ":", forward.port, forward.target);
}

}  // namespace orrery::server
