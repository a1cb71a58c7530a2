#include <set>

#include "engine/api/gen/discoveryv1.h"
#include "engine/api/gen/networkingv1.h"
#include "engine/api/label_selector.h"
#include "engine/api/names.h"
#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

constexpr size_t kShownMax = 3;

// Addresses of a load balancer, each once, sorted.
template <typename Ingresses>
std::vector<std::string> balancer_addresses(const Ingresses& ingresses) {
  std::set<std::string> addresses;
  for (const auto& ingress : ingresses) {
    if (!ingress.ip.empty()) {
      addresses.insert(ingress.ip.str());
    } else if (!ingress.hostname.empty()) {
      addresses.insert(ingress.hostname.str());
    }
  }
  return {addresses.begin(), addresses.end()};
}

std::string external_ip(const corev1::Service& service) {
  const auto& spec = *service.spec;
  std::vector<std::string> ips;
  if (spec.type == "ExternalName") return spec.external_name.str();
  if (spec.type == "LoadBalancer") ips = balancer_addresses(service.status->load_balancer.ingress);
  else if (spec.type != "ClusterIP" && spec.type != "NodePort") return "<unknown>";
  for (const Str& ip : spec.external_ips) ips.push_back(ip.str());
  if (!ips.empty()) return api::join(ips, ",");
  return spec.type == "LoadBalancer" ? "<pending>" : "<none>";
}

std::string ports(const corev1::Service& service) {
  std::vector<std::string> out;
  for (const auto& port : service.spec->ports) {
    out.push_back(port.node_port > 0 ? str_cat(port.port, ":", port.node_port, "/", port.protocol)
                                     : str_cat(port.port, "/", port.protocol));
  }
  return out.empty() ? "<none>" : api::join(out, ",");
}

void print_service(const corev1::Service& service, Row& row) {
  const auto& spec = *service.spec;
  const std::string_view ip = spec.cluster_ips.empty() ? std::string_view("<none>") : spec.cluster_ips[0].view();
  row.add(service.metadata->name, spec.type, ip, external_ip(service), ports(service),
          row.age(service.metadata->creation_timestamp), format_labels(spec.selector));
}

std::string hosts(const List<networkingv1::IngressRule>& rules) {
  std::vector<std::string> shown;
  bool more = false;
  for (const auto& rule : rules) {
    more = more || shown.size() == kShownMax;
    if (!more && !rule.host.empty()) shown.push_back(rule.host.str());
  }
  if (shown.empty()) return "*";
  return with_more(shown, more ? rules.size() : 0, kShownMax);
}

void print_ingress(const networkingv1::Ingress& ingress, Row& row) {
  const auto& spec = *ingress.spec;
  row.add(ingress.metadata->name, spec.ingress_class_name ? spec.ingress_class_name->view() : "<none>", hosts(spec.rules),
          api::join(balancer_addresses(ingress.status->load_balancer.ingress), ","), spec.tls.empty() ? "80" : "80, 443",
          row.age(ingress.metadata->creation_timestamp));
}

void print_ingress_class(const networkingv1::IngressClass& ic, Row& row) {
  std::string parameters = "<none>";
  if (const auto& p = ic.spec->parameters)
    parameters = str_cat(p->kind, p->api_group ? str_cat(".", *p->api_group) : "", "/", p->name);
  row.add(ic.metadata->name, ic.spec->controller, parameters, row.age(ic.metadata->creation_timestamp));
}

void print_network_policy(const networkingv1::NetworkPolicy& policy, Row& row) {
  row.add(policy.metadata->name, api::format_label_selector(&policy.spec->pod_selector),
          row.age(policy.metadata->creation_timestamp));
}

std::string host_port(const Str& ip, int32_t port) {
  const bool v6 = ip.view().find(':') != std::string_view::npos;
  return v6 ? str_cat("[", ip, "]:", port) : str_cat(ip, ":", port);
}

std::string endpoint_list(const corev1::Endpoints& endpoints) {
  std::vector<std::string> shown;
  size_t count = 0;
  bool more = false;
  const auto add = [&](std::string text) {
    if (shown.size() < kShownMax) shown.push_back(std::move(text));
    else more = true;
  };
  for (const auto& subset : endpoints.subsets) {
    if (subset.ports.empty()) {
      count += subset.addresses.size();
      for (const auto& address : subset.addresses) add(address.ip.str());
    }
    for (const auto& port : subset.ports) {
      count += subset.addresses.size();
      for (const auto& address : subset.addresses) add(host_port(address.ip, port.port));
    }
  }
  return endpoints.subsets.empty() ? "<none>" : with_more(shown, more ? count : 0, kShownMax);
}

void print_endpoints(const corev1::Endpoints& endpoints, Row& row) {
  row.add(endpoints.metadata->name, endpoint_list(endpoints), row.age(endpoints.metadata->creation_timestamp));
}

std::string shown_or_unset(const std::vector<std::string>& all) {
  const std::vector<std::string> shown(all.begin(), all.begin() + static_cast<ptrdiff_t>(std::min(all.size(), kShownMax)));
  std::string out = with_more(shown, all.size(), kShownMax);
  return out.empty() ? "<unset>" : out;
}

void print_endpoint_slice(const discoveryv1::EndpointSlice& slice, Row& row) {
  std::vector<std::string> ports, addresses;
  for (const auto& port : slice.ports)
    ports.push_back(port.port ? str_cat(*port.port) : port.name ? port.name->str() : "*");
  for (const auto& endpoint : slice.endpoints)
    for (const Str& address : endpoint.addresses) addresses.push_back(address.str());
  row.add(slice.metadata->name, slice.address_type, shown_or_unset(ports), shown_or_unset(addresses),
          row.age(slice.metadata->creation_timestamp));
}

}  // namespace

std::vector<Printer> network_printers() {
  return {printer_of<corev1::Service, print_service>(),
          printer_of<networkingv1::Ingress, print_ingress>(),
          printer_of<networkingv1::IngressClass, print_ingress_class>(),
          printer_of<networkingv1::NetworkPolicy, print_network_policy>(),
          printer_of<corev1::Endpoints, print_endpoints>(),
          printer_of<discoveryv1::EndpointSlice, print_endpoint_slice>()};
}

}  // namespace orrery::server
