// Endpoints and endpoint slices. Source: Kubernetes v1.32 pkg/apis/core/validation,
// pkg/apis/discovery/validation.
#include "engine/server/validation/endpoints.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/discoveryv1.h"
#include "engine/api/names.h"
#include "engine/server/validation/ip.h"
#include "engine/server/validation/metadata.h"

namespace orrery::server {
namespace {

void check_address(const corev1::EndpointAddress& address, const Path& at, Findings& findings) {
  check_ip(address.ip, at.child("ip"), findings);
  if (!address.hostname.empty()) check_label(address.hostname, at.child("hostname"), findings);
  if (address.node_name) check_subdomain(*address.node_name, at.child("nodeName"), findings);
  check_ordinary_ip(address.ip, at.child("ip"), findings);
}

void check_port(const corev1::EndpointPort& port, bool needs_name, const Path& at, Findings& findings) {
  if (!port.name.empty()) check_label(port.name, at.child("name"), findings);
  else if (needs_name) findings.required(at.child("name"));
  check_port_number(port.port, at.child("port"), findings);
  findings.one_of(port.protocol, at.child("protocol"), {"SCTP", "TCP", "UDP"});
  if (port.app_protocol) check_qualified(*port.app_protocol, at.child("appProtocol"), findings);
}

void check_create(const corev1::Endpoints& endpoints, Findings& findings) {
  constexpr Path kSubsets("subsets");
  check_object_meta(*endpoints.metadata, true, name_is_subdomain, findings);
  for (size_t i = 0; i < endpoints.subsets.size(); ++i) {
    const auto& subset = endpoints.subsets[i];
    const Path at = kSubsets.index(i);
    if (subset.addresses.empty() && subset.not_ready_addresses.empty())
      findings.required(at, "must specify `addresses` or `notReadyAddresses`");
    for (size_t a = 0; a < subset.addresses.size(); ++a) check_address(subset.addresses[a], at.child("addresses", a), findings);
    for (size_t a = 0; a < subset.not_ready_addresses.size(); ++a)
      check_address(subset.not_ready_addresses[a], at.child("notReadyAddresses", a), findings);
    for (size_t p = 0; p < subset.ports.size(); ++p) check_port(subset.ports[p], subset.ports.size() > 1, at.child("ports", p), findings);
  }
}

void check_update(const corev1::Endpoints& endpoints, const corev1::Endpoints& old, Findings& findings) {
  check_object_meta_update(*endpoints.metadata, *old.metadata, findings);
  check_create(endpoints, findings);
}

void check_slice_address(const Str& type, const Str& address, const Path& at, Findings& findings) {
  if (type == "FQDN") return check_fully_qualified_domain(address, at, findings);
  if (type != "IPv4" && type != "IPv6") return;
  const auto ip = parse_ip(address);
  if (type == "IPv4" && (!ip || !ip->is_v4)) findings.invalid(at, address, "must be a valid IPv4 address");
  if (type == "IPv6" && (!ip || ip->is_v4)) findings.invalid(at, address, "must be a valid IPv6 address");
  check_ordinary_ip(address, at, findings);
}

void check_hints(const discoveryv1::EndpointHints& hints, const Path& at, Findings& findings) {
  constexpr size_t kZonesMax = 8;
  const Path zones = at.child("forZones");
  if (hints.for_zones.size() > kZonesMax) return findings.too_many(zones, hints.for_zones.size(), kZonesMax);
  Seen names;
  for (size_t i = 0; i < hints.for_zones.size(); ++i) {
    const Str& name = hints.for_zones[i].name;
    const Path here = zones.index(i);
    const Path zone = here.child("name");
    if (!names.insert(name)) findings.duplicate(zone, name);
    findings.invalid(zone, name, api::check_label_value(name));
  }
}

void check_endpoint(const discoveryv1::Endpoint& endpoint, const Str& type, const Path& at, Findings& findings) {
  constexpr size_t kAddressesMax = 100, kTopologyMax = 16;
  constexpr std::string_view kZone = "topology.kubernetes.io/zone";
  const Path addresses = at.child("addresses"), topology = at.child("deprecatedTopology");
  if (endpoint.addresses.empty()) findings.required(addresses, "must contain at least 1 address");
  if (endpoint.addresses.size() > kAddressesMax) findings.too_many(addresses, endpoint.addresses.size(), kAddressesMax);
  for (size_t i = 0; i < endpoint.addresses.size(); ++i) check_slice_address(type, endpoint.addresses[i], addresses.index(i), findings);
  if (endpoint.node_name) check_subdomain(*endpoint.node_name, at.child("nodeName"), findings);
  if (endpoint.deprecated_topology.size() > kTopologyMax)
    findings.too_many(topology, endpoint.deprecated_topology.size(), kTopologyMax);
  check_labels(endpoint.deprecated_topology, topology, findings);
  if (endpoint.deprecated_topology.contains(kZone))
    findings.internal(topology.key(kZone), "reserved key was not removed in conversion");
  if (endpoint.hostname) check_label(*endpoint.hostname, at.child("hostname"), findings);
  if (endpoint.hints) check_hints(*endpoint.hints, at.child("hints"), findings);
}

void check_slice_ports(const List<discoveryv1::EndpointPort>& ports, Findings& findings) {
  constexpr Path kPorts("ports");
  constexpr size_t kPortsMax = 20000;
  if (ports.size() > kPortsMax) return findings.too_many(kPorts, ports.size(), kPortsMax);
  Seen names;
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto& port = ports[i];
    const Path at = kPorts.index(i);
    const std::string_view name = port.name ? port.name->view() : std::string_view();
    if (!name.empty()) check_label(name, at.child("name"), findings);
    if (!names.insert(name)) findings.duplicate(at.child("name"), name);
    findings.one_of(port.protocol.value_or(Str()), at.child("protocol"), {"SCTP", "TCP", "UDP"});
    if (port.app_protocol) check_qualified(*port.app_protocol, at.child("appProtocol"), findings);
  }
}

void check_create(const discoveryv1::EndpointSlice& slice, Findings& findings) {
  constexpr Path kEndpoints("endpoints");
  constexpr size_t kEndpointsMax = 1000;
  check_object_meta(*slice.metadata, true, name_is_subdomain, findings);
  findings.one_of(slice.address_type, Path("addressType"), {"FQDN", "IPv4", "IPv6"});
  if (slice.endpoints.size() > kEndpointsMax) {
    findings.too_many(kEndpoints, slice.endpoints.size(), kEndpointsMax);
  } else {
    for (size_t i = 0; i < slice.endpoints.size(); ++i)
      check_endpoint(slice.endpoints[i], slice.address_type, kEndpoints.index(i), findings);
  }
  check_slice_ports(slice.ports, findings);
}

void check_update(const discoveryv1::EndpointSlice& slice, const discoveryv1::EndpointSlice& old, Findings& findings) {
  check_create(slice, findings);
  check_immutable(slice.address_type, old.address_type, Path("addressType"), slice.address_type, findings);
}

}  // namespace

CheckRow endpoints_row() { return check_row<corev1::Endpoints, check_create, check_update>(); }

std::span<const CheckRow> discovery_checks() {
  static const CheckRow kRows[] = {check_row<discoveryv1::EndpointSlice, check_create, check_update>()};
  return kRows;
}

}  // namespace orrery::server
