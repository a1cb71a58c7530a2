// Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.
#include "engine/server/validation/services.h"

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/endpoints.h"
#include "engine/server/validation/ip.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using corev1::Service;
using corev1::ServiceSpec;

constexpr Path kAnnotations("metadata.annotations");
constexpr Path kSpec("spec");

bool is_headless(const ServiceSpec& spec) { return spec.cluster_ips.size() == 1 && spec.cluster_ips[0] == "None"; }
bool is_external(const ServiceSpec& spec) { return spec.type == "ExternalName"; }
bool is_balanced(const ServiceSpec& spec) { return spec.type == "LoadBalancer"; }
bool is_reachable(const ServiceSpec& spec) {
  return is_balanced(spec) || spec.type == "NodePort" || (spec.type == "ClusterIP" && !spec.external_ips.empty());
}
bool needs_health_check(const ServiceSpec& spec) { return is_balanced(spec) && spec.external_traffic_policy == "Local"; }

void check_topology_annotations(const Map<Str>& annotations, Findings& findings) {
  constexpr std::string_view kHints = "service.kubernetes.io/topology-aware-hints", kMode = "service.kubernetes.io/topology-mode";
  const Str* mode = annotations.find(kMode);
  const Str* hints = annotations.find(kHints);
  if (mode && hints && *mode != *hints)
    findings.invalid(kAnnotations.key(kMode), *mode, str_cat("must match annotations[", kHints, "] when both are specified"));
}

void check_type_parts(const ServiceSpec& spec, Findings& findings) {
  constexpr int32_t kKubeletPort = 10250;
  if (is_balanced(spec))
    for (size_t i = 0; i < spec.ports.size(); ++i)
      if (spec.ports[i].port == kKubeletPort)
        findings.invalid(kSpec.child("ports", i), kKubeletPort, "may not expose port 10250 externally since it is used by kubelet");
  if (is_headless(spec) && (is_balanced(spec) || spec.type == "NodePort"))
    findings.invalid(kSpec.child("clusterIPs", 0), spec.cluster_ips[0], str_cat("may not be set to 'None' for ", spec.type, " services"));
  if (!is_external(spec)) return;
  constexpr std::string_view kText = "may not be set for ExternalName services";
  if (!spec.cluster_ips.empty()) findings.forbidden(kSpec.child("clusterIPs"), kText);
  if (!spec.ip_families.empty()) findings.forbidden(kSpec.child("ipFamilies"), kText);
  if (spec.ip_family_policy) findings.forbidden(kSpec.child("ipFamilyPolicy"), kText);
  std::string_view name = spec.external_name;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) findings.required(kSpec.child("externalName"));
  else check_subdomain(name, kSpec.child("externalName"), findings);
}

void check_port(const corev1::ServicePort& port, bool needs_name, Seen& names, const Path& at, Findings& findings) {
  if (!port.name.empty()) {
    check_label(port.name, at.child("name"), findings);
    if (!names.insert(port.name)) findings.duplicate(at.child("name"), port.name);
  } else if (needs_name) {
    findings.required(at.child("name"));
  }
  check_port_number(port.port, at.child("port"), findings);
  findings.one_of(port.protocol, at.child("protocol"), {"SCTP", "TCP", "UDP"});
  check_port_number_or_name(port.target_port, at.child("targetPort"), findings);
  if (port.app_protocol) check_qualified(*port.app_protocol, at.child("appProtocol"), findings);
}

void check_affinity(const ServiceSpec& spec, Findings& findings) {
  constexpr int32_t kSecondsMax = 86400;
  constexpr std::string_view kText = "when session affinity type is ClientIP";
  findings.one_of(spec.session_affinity, kSpec.child("sessionAffinity"), {"ClientIP", "None"});
  const Path at = kSpec.child("sessionAffinityConfig");
  const auto& config = spec.session_affinity_config;
  if (spec.session_affinity == "None" && config) findings.forbidden(at, "must not be set when session affinity is None");
  if (spec.session_affinity != "ClientIP") return;
  if (!config) return findings.required(at, kText);
  const Path client = at.child("clientIP");
  if (!config->client_ip) return findings.required(client, kText);
  const auto& seconds = config->client_ip->timeout_seconds;
  if (!seconds) return findings.required(client.child("timeoutSeconds"), kText);
  if (*seconds <= 0 || *seconds > kSecondsMax)
    findings.invalid(client.child("timeoutSeconds"), *seconds, "must be greater than 0 and less than 86400");
}

// The two fields for cluster IPs agree.
void check_first_ip(const ServiceSpec& spec, const Path& at, Findings& findings) {
  if (spec.cluster_ip.empty()) {
    if (!spec.cluster_ips.empty())
      findings.invalid(at, Shown::list(spec.cluster_ips), "must be empty when `clusterIP` is not specified");
  } else if (spec.cluster_ips.empty()) {
    findings.required(at);
  } else if (spec.cluster_ips[0] != spec.cluster_ip) {
    findings.invalid(at, Shown::list(spec.cluster_ips), "first value must match `clusterIP`");
  }
}

void check_families(const ServiceSpec& spec, Findings& findings) {
  Seen seen;
  for (size_t i = 0; i < spec.ip_families.size(); ++i) {
    const Str& family = spec.ip_families[i];
    const Path at = kSpec.child("ipFamilies", i);
    if (!is_one_of(family, {"IPv4", "IPv6"})) findings.not_supported(at, family, {"IPv4", "IPv6"});
    if (!seen.insert(family)) findings.duplicate(at, family);
  }
  const auto& policy = spec.ip_family_policy;
  if (policy && !is_one_of(*policy, {"PreferDualStack", "RequireDualStack", "SingleStack"}))
    findings.not_supported(kSpec.child("ipFamilyPolicy"), *policy, {"PreferDualStack", "RequireDualStack", "SingleStack"});
}

// False if an address cannot be read.
bool check_addresses(const ServiceSpec& spec, const Path& at, Findings& findings) {
  bool valid = true;
  for (size_t i = 0; i < spec.cluster_ips.size(); ++i) {
    const Str& ip = spec.cluster_ips[i];
    if (i == 0 && ip == "None") {
      if (spec.cluster_ips.size() == 1) continue;
      valid = false;
      findings.invalid(at, Shown::list(spec.cluster_ips), "'None' must be the first and only value");
      continue;
    }
    if (parse_ip(ip)) continue;
    valid = false;
    check_ip(ip, at.index(i), findings);
  }
  if (spec.cluster_ips.size() > 2) findings.invalid(at, Shown::list(spec.cluster_ips), "may only hold up to 2 values");
  return valid;
}

bool is_dual_stack(const List<Str>& ips) {
  size_t v6 = 0;
  for (const Str& ip : ips) v6 += is_ipv6_text(ip) ? 1 : 0;
  return v6 > 0 && v6 < ips.size();
}

void check_external_ips(const ServiceSpec& spec, Findings& findings) {
  for (size_t i = 0; i < spec.external_ips.size(); ++i) {
    const Path at = kSpec.child("externalIPs", i);
    if (parse_ip(spec.external_ips[i])) check_ordinary_ip(spec.external_ips[i], at, findings);
    else check_ip(spec.external_ips[i], at, findings);
  }
}

void check_port_clashes(const ServiceSpec& spec, Findings& findings) {
  const auto& ports = spec.ports;
  const auto clashes = [&](size_t i, auto number) {
    for (size_t k = 0; k < i; ++k)
      if (number(ports[k]) == number(ports[i]) && ports[k].protocol == ports[i].protocol) return true;
    return false;
  };
  if (spec.type == "ClusterIP")
    for (size_t i = 0; i < ports.size(); ++i) {
      const Path at = kSpec.child("ports", i);
      if (ports[i].node_port != 0) findings.forbidden(at.child("nodePort"), "may not be used when `type` is 'ClusterIP'");
    }
  for (size_t i = 0; i < ports.size(); ++i) {
    const Path at = kSpec.child("ports", i);
    if (ports[i].node_port != 0 && clashes(i, [](const auto& p) { return p.node_port; }))
      findings.duplicate(at.child("nodePort"), ports[i].node_port);
  }
  for (size_t i = 0; i < ports.size(); ++i)
    if (clashes(i, [](const auto& p) { return p.port; })) {
      corev1::ServicePort key;
      key.protocol = ports[i].protocol;
      key.port = ports[i].port;
      findings.duplicate(kSpec.child("ports", i), Shown::object(key));
    }
}

void check_source_ranges(const Service& service, Findings& findings) {
  constexpr std::string_view kKey = "service.beta.kubernetes.io/load-balancer-source-ranges";
  constexpr std::string_view kOnly = "may only be used when `type` is 'LoadBalancer'";
  const auto& spec = *service.spec;
  const Str* annotation = service.metadata->annotations.find(kKey);
  if (!spec.load_balancer_source_ranges.empty()) {
    const Path at = kSpec.child("LoadBalancerSourceRanges");
    if (!is_balanced(spec)) findings.forbidden(at, kOnly);
    for (size_t i = 0; i < spec.load_balancer_source_ranges.size(); ++i)
      check_cidr(trim_space(spec.load_balancer_source_ranges[i]), at.index(i), findings);
  } else if (annotation) {
    const Path at = kAnnotations.key(kKey);
    if (!is_balanced(spec)) findings.forbidden(at, kOnly);
    if (trim_space(*annotation).empty()) return;
    for (const std::string_view range : split(trim_space(*annotation), ',')) check_cidr(trim_space(range), at, findings);
  }
}

bool same_class(const Service& a, const Service& b) { return a.spec->load_balancer_class == b.spec->load_balancer_class; }

void check_balancer_class(const Service& service, const Service* old, Findings& findings) {
  const Path at = kSpec.child("loadBalancerClass");
  const auto& name = service.spec->load_balancer_class;
  const bool balanced = is_balanced(*service.spec);
  if (old && balanced && is_balanced(*old->spec) && !same_class(service, *old))
    findings.invalid(at, name ? Shown(*name) : Shown("null"), "may not change once set");
  if (!name) return;
  if (balanced) check_qualified(*name, at, findings);
  else findings.forbidden(at, "may only be used when `type` is 'LoadBalancer'");
}

void check_external_traffic(const ServiceSpec& spec, Findings& findings) {
  const Path policy = kSpec.child("externalTrafficPolicy"), health = kSpec.child("healthCheckNodePort");
  if (is_reachable(spec))
    findings.one_of(spec.external_traffic_policy, policy, {"Cluster", "Local"});
  else if (!spec.external_traffic_policy.empty())
    findings.invalid(policy, spec.external_traffic_policy, "may only be set for externally-accessible services");
  const int32_t port = spec.health_check_node_port;
  if (!needs_health_check(spec)) {
    if (port != 0)
      findings.invalid(health, port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
  } else if (port == 0) {
    findings.required(health);
  } else {
    check_port_number(port, health, findings);
  }
}

void check_traffic(const ServiceSpec& spec, Findings& findings) {
  check_external_traffic(spec, findings);
  const Path internal = kSpec.child("internalTrafficPolicy");
  const auto& policy = spec.internal_traffic_policy;
  if (!policy && is_one_of(spec.type, {"NodePort", "LoadBalancer", "ClusterIP"})) findings.required(internal);
  if (policy && !is_one_of(*policy, {"Cluster", "Local"})) findings.not_supported(internal, *policy, {"Cluster", "Local"});
  if (spec.traffic_distribution && *spec.traffic_distribution != "PreferClose")
    findings.not_supported(kSpec.child("trafficDistribution"), *spec.traffic_distribution, {"PreferClose"});
}

void check_service(const Service& service, const Service* old, Findings& findings) {
  const auto& spec = *service.spec;
  check_object_meta(*service.metadata, true, name_is_dns1035_label, findings);
  check_topology_annotations(service.metadata->annotations, findings);
  if (spec.ports.empty() && !is_headless(spec) && !is_external(spec)) findings.required(kSpec.child("ports"));
  check_type_parts(spec, findings);
  Seen names;
  for (size_t i = 0; i < spec.ports.size(); ++i) check_port(spec.ports[i], spec.ports.size() > 1, names, kSpec.child("ports", i), findings);
  check_labels(spec.selector, kSpec.child("selector"), findings);
  check_affinity(spec, findings);
  check_cluster_ips(spec, findings);
  check_external_ips(spec, findings);
  findings.one_of(spec.type, kSpec.child("type"), {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
  check_port_clashes(spec, findings);
  check_source_ranges(service, findings);
  if (spec.allocate_load_balancer_node_ports && !is_balanced(spec))
    findings.forbidden(kSpec.child("allocateLoadBalancerNodePorts"), "may only be used when `type` is 'LoadBalancer'");
  if (!spec.allocate_load_balancer_node_ports && is_balanced(spec)) findings.required(Path("allocateLoadBalancerNodePorts"));
  check_balancer_class(service, old, findings);
  check_traffic(spec, findings);
}

void check_create(const Service& service, Findings& findings) { check_service(service, nullptr, findings); }

// Of a list whose first value stays; `released` names what goes with the second value.
void check_kept(const List<Str>& now, const List<Str>& before, const ServiceSpec& spec, bool of_ips, Findings& findings) {
  const Path field = kSpec.child(of_ips ? "clusterIPs" : "ipFamilies");
  constexpr std::string_view kChanged = "may not change once set";
  const Shown shown = Shown::list(now, of_ips ? "[]string" : "[]core.IPFamily");
  if (now.size() == before.size()) {
    for (size_t i = 0; i < now.size(); ++i)
      if (now[i] != before[i]) findings.invalid(field.index(of_ips ? i : 0), shown, kChanged);
    return;
  }
  if (now.size() < before.size() && spec.cluster_ips.empty())
    findings.invalid(field.index(0), shown, of_ips ? "primary clusterIP can not be unset" : "primary ipFamily can not be unset");
  if (!now.empty() && !before.empty() && now[0] != before[0])
    findings.invalid(field.index(0), Shown::list(spec.cluster_ips), kChanged);
  if (now.size() < before.size() && now.size() == 1 && spec.ip_family_policy.value_or(Str()) != "SingleStack")
    findings.invalid(kSpec.child("ipFamilyPolicy"), spec.ip_family_policy ? Shown(*spec.ip_family_policy) : Shown("null"),
                     str_cat("must be set to 'SingleStack' when releasing the secondary ", of_ips ? "clusterIP" : "ipFamily"));
}

void check_update(const Service& service, const Service& old, Findings& findings) {
  const auto &spec = *service.spec, &before = *old.spec;
  check_object_meta_update(*service.metadata, *old.metadata, findings);
  if (!is_external(spec) && !is_external(before)) {
    const bool headless = is_headless(spec), was_headless = is_headless(before);
    if (!headless || !was_headless) check_kept(spec.cluster_ips, before.cluster_ips, spec, true, findings);
    if (!headless && !was_headless) check_kept(spec.ip_families, before.ip_families, spec, false, findings);
  }
  check_balancer_class(service, &old, findings);
  if (needs_health_check(spec) && needs_health_check(before) && spec.health_check_node_port != before.health_check_node_port)
    findings.forbidden(kSpec.child("healthCheckNodePort"), Findings::kImmutable);
  check_service(service, nullptr, findings);
}

void check_status(const Service& service, const Service& old, Findings& findings) {
  constexpr Path kIngress("status.loadBalancer.ingress");
  check_object_meta_update(*service.metadata, *old.metadata, findings);
  const auto& list = service.status->load_balancer.ingress;
  if (!is_balanced(*service.spec) && !list.empty())
    return findings.forbidden(kIngress, "may only be used when `spec.type` is 'LoadBalancer'");
  for (size_t i = 0; i < list.size(); ++i) {
    const auto& ingress = list[i];
    const Path at = kIngress.index(i);
    if (!ingress.ip.empty()) check_ip(ingress.ip, at.child("ip"), findings);
    const Path mode = at.child("ipMode");
    if (!ingress.ip_mode) {
      if (!ingress.ip.empty()) findings.required(mode, "must be specified when `ip` is set");
    } else if (ingress.ip.empty()) {
      findings.forbidden(mode, "may not be specified when `ip` is not set");
    } else if (!is_one_of(*ingress.ip_mode, {"Proxy", "VIP"})) {
      findings.not_supported(mode, *ingress.ip_mode, {"Proxy", "VIP"});
    }
    if (!ingress.hostname.empty()) check_ingress_hostname(ingress.hostname, at.child("hostname"), findings);
  }
}

}  // namespace

void check_cluster_ips(const ServiceSpec& spec, Findings& findings) {
  if (is_external(spec)) return;
  const Path at = kSpec.child("clusterIPs");
  check_first_ip(spec, at, findings);
  check_families(spec, findings);
  if (!check_addresses(spec, at, findings)) return;
  const auto& ips = spec.cluster_ips;
  if (ips.size() > 1 && !is_dual_stack(ips))
    findings.invalid(at, Shown::list(ips), "may specify no more than one IP for each IP family");
  if (is_headless(spec)) return;
  for (size_t i = 0; i < ips.size() && i < spec.ip_families.size(); ++i) {
    const bool wants_v6 = spec.ip_families[i] == "IPv6", wants_v4 = spec.ip_families[i] == "IPv4";
    if ((wants_v4 && is_ipv6_text(ips[i])) || (wants_v6 && !is_ipv6_text(ips[i])))
      findings.invalid(at.index(i), ips[i], str_cat("expected an ", spec.ip_families[i], " value as indicated by `ipFamilies[", uint64_t{i}, "]`"));
  }
}

std::span<const CheckRow> service_checks() {
  static const CheckRow kRows[] = {check_row<Service, check_create, check_update, check_status>(), endpoints_row()};
  return kRows;
}

}  // namespace orrery::server
