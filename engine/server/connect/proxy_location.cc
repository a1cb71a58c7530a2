#include "engine/server/connect/proxy_location.h"

#include <algorithm>
#include <charconv>

#include "engine/api/names.h"
#include "engine/server/validation/ip.h"

namespace orrery::server {
namespace {

Status unavailable(std::string message) {
  return Status(Code::kServiceUnavailable, std::move(message));
}

// Go's net.IP.IsGlobalUnicast.
bool is_global_unicast(std::string_view text) {
  const auto ip = parse_ip(text);
  if (!ip || ip->is_unspecified() || ip->is_loopback() || ip->is_link_local_unicast()) return false;
  if (!ip->is_v4) return ip->bytes[0] != 0xff;
  const auto last = ip->bytes.end() - 4;
  const bool broadcast = std::all_of(last, ip->bytes.end(), [](uint8_t b) { return b == 0xff; });
  return !broadcast && (*last & 0xf0) != 0xe0;
}

bool read_port(std::string_view text, int64_t* port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *port);
  return error == std::errc() && end == text.data() + text.size();
}

int default_port(bool tls) { return tls ? 443 : 80; }

bool has_address(const corev1::Pod& pod, const Str& ip) {
  const auto& ips = pod.status->pod_ips;
  return std::any_of(ips.begin(), ips.end(), [&](const corev1::PodIP& one) { return one.ip == ip; });
}

// Traffic goes to pods of the same namespace only, whatever endpoints say.
bool is_pod_of(std::string_view ns, const corev1::EndpointAddress& address,
               const ObjectReader& objects) {
  if (!address.target_ref || address.target_ref->namespace_ != ns) return false;
  const api::Object pod =
      objects.find(*corev1::Pod::descriptor().kind, ns, address.target_ref->name);
  return pod && has_address(pod.get<corev1::Pod>(), address.ip);
}

const corev1::EndpointAddress* choose(const corev1::EndpointSubset& subset, std::string_view ns,
                                      const ObjectReader& objects, uint64_t seed) {
  const size_t count = subset.addresses.size();
  for (size_t i = 0; i < count; ++i) {
    const corev1::EndpointAddress& address = subset.addresses[(seed + i) % count];
    if (is_pod_of(ns, address, objects)) return &address;
  }
  return nullptr;
}

// A port number stands for the name of the service's port.
Result<std::string> port_name(const ProxyName& asked, std::string_view ns,
                              const ObjectReader& objects) {
  int64_t number = 0;
  if (!read_port(asked.port, &number)) return asked.port;
  const api::KindDesc& kind = *corev1::Service::descriptor().kind;
  const api::Object service = objects.find(kind, ns, asked.name);
  if (!service) return not_found_error(kind, asked.name);
  for (const corev1::ServicePort& port : service.get<corev1::Service>().spec->ports)
    if (port.port == number) return port.name.str();
  return unavailable(
      str_cat("no service port ", number, " found for service ", api::quoted(asked.name)));
}

}  // namespace

std::optional<ProxyName> split_proxy_name(std::string_view text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  ProxyName out;
  if (parts.size() == 1) out.name = parts[0];
  if (parts.size() == 2) out = {"", parts[0], parts[1]};
  if (parts.size() == 3) out = {parts[0], parts[1], parts[2]};
  const bool known = out.scheme.empty() || out.scheme == "http" || out.scheme == "https";
  if (out.name.empty() || !known) return std::nullopt;
  return out;
}

Result<ProxyLocation> pod_location(const ProxyName& asked, const corev1::Pod& pod) {
  ProxyLocation out;
  out.tls = asked.scheme == "https";
  out.port = default_port(out.tls);
  int64_t port = 0;
  if (!asked.port.empty()) {
    if (!read_port(asked.port, &port) || port < 1 || port > 65535)
      return unavailable(str_cat("error trying to reach service: dial tcp: lookup tcp/", asked.port,
                                 ": unknown port"));
    out.port = static_cast<int>(port);
  } else {
    for (const corev1::Container& container : pod.spec->containers) {
      if (container.ports.empty()) continue;
      out.port = container.ports[0].container_port;
      break;
    }
  }
  if (!pod.status->pod_ips.empty()) out.host = pod.status->pod_ips[0].ip.str();
  if (!is_global_unicast(out.host)) return bad_request("address not allowed");
  return out;
}

Result<ProxyLocation> service_location(const ProxyName& asked, std::string_view id,
                                       std::string_view ns, const ObjectReader& objects,
                                       uint64_t seed) {
  ORRERY_ASSIGN(const std::string port, port_name(asked, ns, objects));
  const api::KindDesc& kind = *corev1::Endpoints::descriptor().kind;
  const api::Object found = objects.find(kind, ns, asked.name);
  // Upstream tells by the resource of the request.
  if (!found) return not_found_error(*corev1::Service::descriptor().kind, asked.name);
  const auto& subsets = found.get<corev1::Endpoints>().subsets;
  if (subsets.empty())
    return unavailable(str_cat("no endpoints available for service ", api::quoted(asked.name)));
  for (size_t i = 0; i < subsets.size(); ++i) {
    const corev1::EndpointSubset& subset = subsets[(seed + i) % subsets.size()];
    for (const corev1::EndpointPort& one : subset.ports) {
      if (one.name.view() != port) continue;
      const corev1::EndpointAddress* address = choose(subset, ns, objects, seed);
      if (address == nullptr) continue;
      if (!is_global_unicast(address->ip)) return bad_request("address not allowed");
      return ProxyLocation{asked.scheme == "https", address->ip.str(), one.port};
    }
  }
  return unavailable(str_cat("no endpoints available for service ", api::quoted(id)));
}

}  // namespace orrery::server
