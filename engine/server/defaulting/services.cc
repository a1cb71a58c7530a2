#include "engine/api/gen/corev1.h"
#include "engine/api/gen/discoveryv1.h"
#include "engine/api/gen/networkingv1.h"
#include "engine/server/defaulting/defaults.h"

namespace orrery::server {
namespace {

void default_traffic(corev1::ServiceSpec& spec) {
  const bool outside = spec.type == "NodePort" || spec.type == "LoadBalancer";
  if (outside || (spec.type == "ClusterIP" && !spec.external_ips.empty())) set_if_empty(spec.external_traffic_policy, "Cluster");
  if (outside || spec.type == "ClusterIP") set_if_absent(spec.internal_traffic_policy, Str("Cluster"));
  if (spec.type == "LoadBalancer") set_if_absent(spec.allocate_load_balancer_node_ports, true);
}

void default_service(corev1::Service& s) {
  constexpr int32_t kAffinitySeconds = 10800;
  auto& spec = s.spec.mut();
  set_if_empty(spec.session_affinity, "None");
  if (spec.session_affinity == "None") spec.session_affinity_config.reset();
  if (spec.session_affinity == "ClientIP")
    set_if_absent(spec.session_affinity_config.mut().client_ip.mut().timeout_seconds, kAffinitySeconds);
  set_if_empty(spec.type, "ClusterIP");
  default_traffic(spec);
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    auto& port = spec.ports.mut(i);
    if (port.protocol.empty()) port.protocol = Str("TCP");
    const bool unset = !port.target_port.is_text && port.target_port.number == 0;
    if (unset || (port.target_port.is_text && port.target_port.text.empty())) port.target_port = api::IntOrString(port.port);
  }
  if (spec.type != "LoadBalancer") return;
  for (size_t i = 0; i < s.status->load_balancer.ingress.size(); ++i) {
    const auto& ingress = s.status->load_balancer.ingress[i];
    if (!ingress.ip.empty() && !ingress.ip_mode) s.status.mut().load_balancer.ingress.mut(i).ip_mode = Str("VIP");
  }
}

void default_endpoints(corev1::Endpoints& endpoints) {
  for (size_t s = 0; s < endpoints.subsets.size(); ++s)
    for (size_t p = 0; p < endpoints.subsets[s].ports.size(); ++p)
      if (endpoints.subsets[s].ports[p].protocol.empty()) endpoints.subsets.mut(s).ports.mut(p).protocol = "TCP";
}

void default_endpoint_slice(discoveryv1::EndpointSlice& slice) {
  for (size_t i = 0; i < slice.ports.size(); ++i) {
    if (slice.ports[i].name && slice.ports[i].protocol) continue;
    set_if_absent(slice.ports.mut(i).name, Str());
    set_if_absent(slice.ports.mut(i).protocol, Str("TCP"));
  }
}

template <typename R>
void default_policy_ports(List<R>& rules) {
  for (size_t r = 0; r < rules.size(); ++r)
    for (size_t p = 0; p < rules[r].ports.size(); ++p)
      if (!rules[r].ports[p].protocol) rules.mut(r).ports.mut(p).protocol = Str("TCP");
}

void default_network_policy(networkingv1::NetworkPolicy& policy) {
  auto& spec = policy.spec.mut();
  default_policy_ports(spec.ingress);
  default_policy_ports(spec.egress);
  if (!spec.policy_types.empty()) return;
  spec.policy_types = {Str("Ingress")};
  if (!spec.egress.empty()) spec.policy_types.push_back("Egress");
}

void default_ingress_class(networkingv1::IngressClass& ic) {
  if (ic.spec->parameters) set_if_absent(ic.spec.mut().parameters.mut().scope, Str("Cluster"));
}

}  // namespace

std::span<const DefaultRow> service_defaults() {
  static constexpr DefaultRow kRows[] = {
      default_row<corev1::Service, default_service>(),
      default_row<corev1::Endpoints, default_endpoints>(),
      default_row<discoveryv1::EndpointSlice, default_endpoint_slice>(),
      default_row<networkingv1::NetworkPolicy, default_network_policy>(),
      default_row<networkingv1::IngressClass, default_ingress_class>(),
  };
  return kRows;
}

}  // namespace orrery::server
