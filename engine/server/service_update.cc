#include "engine/server/service_update.h"

#include <algorithm>
#include <map>
#include <set>

namespace orrery::server {
namespace {

using corev1::ServiceSpec;

std::set<int32_t> node_ports(const ServiceSpec& spec) {
  std::set<int32_t> ports;
  for (const auto& port : spec.ports)
    if (port.node_port) ports.insert(port.node_port);
  return ports;
}

// By name: all else of a port may have changed. What another port of the service asks for is not taken.
void keep_node_ports(ServiceSpec& spec, const ServiceSpec& before) {
  const std::set<int32_t> asked = node_ports(spec);
  std::map<Str, int32_t> by_name;
  for (const auto& port : before.ports) by_name[port.name] = port.node_port;
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    if (spec.ports[i].node_port) continue;
    const auto kept = by_name.find(spec.ports[i].name);
    if (kept != by_name.end() && !asked.contains(kept->second)) spec.ports.mut(i).node_port = kept->second;
  }
}

bool is_accessible(const ServiceSpec& spec) {
  return has_node_ports(spec) || (spec.type == "ClusterIP" && !spec.external_ips.empty());
}

bool has_same_ips(const ServiceSpec& a, const ServiceSpec& b) {
  return a.cluster_ip == b.cluster_ip && a.cluster_ips == b.cluster_ips;
}

void drop_addresses(ServiceSpec& spec, const ServiceSpec& before) {
  if (has_same_ips(spec, before)) {
    spec.cluster_ip = Str();
    spec.cluster_ips.reset();
  }
  if (spec.ip_families == before.ip_families) spec.ip_families.reset();
  if (spec.ip_family_policy == before.ip_family_policy) spec.ip_family_policy.reset();
}

void drop_node_ports(ServiceSpec& spec, const ServiceSpec& before) {
  const std::set<int32_t> now = node_ports(spec), old = node_ports(before);
  if (!std::includes(old.begin(), old.end(), now.begin(), now.end())) return;
  for (size_t i = 0; i < spec.ports.size(); ++i)
    if (spec.ports[i].node_port) spec.ports.mut(i).node_port = 0;
}

}  // namespace

bool has_cluster_ip(const ServiceSpec& spec) { return spec.type != "ExternalName"; }

bool has_node_ports(const ServiceSpec& spec) { return spec.type == "NodePort" || spec.type == "LoadBalancer"; }

bool gets_node_ports(const ServiceSpec& spec) {
  return spec.type == "NodePort" || (spec.type == "LoadBalancer" && spec.allocate_load_balancer_node_ports.value_or(true));
}

bool has_health_port(const ServiceSpec& spec) {
  return spec.type == "LoadBalancer" && spec.external_traffic_policy == "Local";
}

void keep_allocated(ServiceSpec& spec, const ServiceSpec& before) {
  if (has_cluster_ip(before) && has_cluster_ip(spec)) {
    if (spec.cluster_ip.empty()) spec.cluster_ip = before.cluster_ip;
    if (spec.cluster_ips.empty()) spec.cluster_ips = before.cluster_ips;
  }
  if (gets_node_ports(before) && gets_node_ports(spec)) keep_node_ports(spec, before);
  if (has_health_port(before) && has_health_port(spec) && spec.health_check_node_port == 0)
    spec.health_check_node_port = before.health_check_node_port;
}

void agree_cluster_ips(ServiceSpec& spec, const corev1::Service* old) {
  if (!old) {
    if (!spec.cluster_ip.empty() && spec.cluster_ips.empty()) spec.cluster_ips = {spec.cluster_ip};
    return;
  }
  const ServiceSpec& before = *old->spec;
  if (spec.cluster_ip == before.cluster_ip) {
    if (spec.cluster_ips.empty()) spec.cluster_ips = before.cluster_ips;
    return;
  }
  const bool untouched = spec.cluster_ips == before.cluster_ips;
  if (spec.cluster_ip.empty()) {
    if (untouched) spec.cluster_ips.reset();
  } else if (before.cluster_ip.empty() ? spec.cluster_ips.empty() : untouched) {
    spec.cluster_ips = {spec.cluster_ip};
  }
}

void drop_of_old_type(corev1::Service& service, const ServiceSpec& before) {
  ServiceSpec& spec = service.spec.mut();
  if (has_cluster_ip(before) && !has_cluster_ip(spec)) drop_addresses(spec, before);
  if (has_node_ports(before) && !has_node_ports(spec)) drop_node_ports(spec, before);
  if (has_health_port(before) && !has_health_port(spec) && spec.health_check_node_port == before.health_check_node_port)
    spec.health_check_node_port = 0;
  const bool balances = spec.type == "LoadBalancer";
  if (before.type == "LoadBalancer" && !balances) {
    if (spec.allocate_load_balancer_node_ports == before.allocate_load_balancer_node_ports) spec.allocate_load_balancer_node_ports.reset();
    if (spec.load_balancer_class == before.load_balancer_class) spec.load_balancer_class.reset();
  }
  if (is_accessible(before) && !is_accessible(spec) && spec.external_traffic_policy == before.external_traffic_policy)
    spec.external_traffic_policy = Str();
  if (!balances && !service.status->load_balancer.ingress.empty()) service.status.mut().load_balancer = {};
}

bool keeps_its_stacks(const ServiceSpec& spec, const ServiceSpec& before) {
  constexpr std::string_view kPrefers = "PreferDualStack";
  return spec.type == before.type && has_cluster_ip(spec) && spec.ip_family_policy && *spec.ip_family_policy == kPrefers &&
         before.ip_family_policy.value_or(Str(kPrefers)) == kPrefers && has_same_ips(spec, before) &&
         spec.ip_families == before.ip_families;
}

}  // namespace orrery::server
