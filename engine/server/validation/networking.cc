// Ingresses, ingress classes and network policies. Source: Kubernetes v1.32 pkg/apis/networking/validation.
#include "engine/api/gen/networkingv1.h"
#include "engine/server/validation/ip.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using namespace networkingv1;

constexpr Path kSpec("spec");

void check_policy_port(const NetworkPolicyPort& port, const Path& at, Findings& findings) {
  if (port.protocol && !is_one_of(*port.protocol, {"TCP", "UDP", "SCTP"}))
    findings.not_supported(at.child("protocol"), *port.protocol, {"TCP", "UDP", "SCTP"});
  const Path number = at.child("port"), end = at.child("endPort");
  if (!port.port) {
    if (port.end_port) findings.invalid(end, *port.end_port, "may not be specified when `port` is not specified");
  } else if (port.port->is_text) {
    if (port.end_port) findings.invalid(end, *port.end_port, "may not be specified when `port` is non-numeric");
    findings.invalid(number, port.port->text, check_port_name(port.port->text));
  } else {
    check_port_number(port.port->number, number, findings);
    if (!port.end_port) return;
    if (*port.end_port < port.port->number) findings.invalid(end, port.port->number, "must be greater than or equal to `port`");
    check_port_number(*port.end_port, end, findings);
  }
}

void check_ip_block(const IPBlock& block, const Path& at, Findings& findings) {
  const Path cidr_at = at.child("cidr");
  if (block.cidr.empty()) return findings.required(cidr_at);
  check_cidr(block.cidr, cidr_at, findings);
  const auto cidr = parse_cidr(block.cidr);
  if (!cidr) return;
  for (size_t i = 0; i < block.except.size(); ++i) {
    const Path here = at.child("except", i);
    check_cidr(block.except[i], here, findings);
    const auto except = parse_cidr(block.except[i]);
    if (except && (!cidr->contains(except->address) || cidr->prefix >= except->prefix))
      findings.invalid(here, block.except[i], "must be a strict subset of `cidr`");
  }
}

void check_peer(const NetworkPolicyPeer& peer, SelectorRules rules, const Path& at, Findings& findings) {
  if (peer.pod_selector) check_label_selector(peer.pod_selector.get(), at.child("podSelector"), findings, rules);
  if (peer.namespace_selector) check_label_selector(peer.namespace_selector.get(), at.child("namespaceSelector"), findings, rules);
  if (peer.ip_block) check_ip_block(*peer.ip_block, at.child("ipBlock"), findings);
  const bool selects = peer.pod_selector || peer.namespace_selector;
  if (!selects && !peer.ip_block) findings.required(at, "must specify a peer");
  if (selects && peer.ip_block) findings.forbidden(at, "may not specify both ipBlock and another peer");
}

void check_policy_spec(const NetworkPolicySpec& spec, SelectorRules rules, Findings& findings) {
  check_label_selector(&spec.pod_selector, kSpec.child("podSelector"), findings, rules);
  for (size_t i = 0; i < spec.ingress.size(); ++i) {
    const auto& rule = spec.ingress[i];
    const Path at = kSpec.child("ingress", i);
    for (size_t p = 0; p < rule.ports.size(); ++p) check_policy_port(rule.ports[p], at.child("ports", p), findings);
    for (size_t p = 0; p < rule.from.size(); ++p) check_peer(rule.from[p], rules, at.child("from", p), findings);
  }
  for (size_t i = 0; i < spec.egress.size(); ++i) {
    const auto& rule = spec.egress[i];
    const Path at = kSpec.child("egress", i);
    for (size_t p = 0; p < rule.ports.size(); ++p) check_policy_port(rule.ports[p], at.child("ports", p), findings);
    for (size_t p = 0; p < rule.to.size(); ++p) check_peer(rule.to[p], rules, at.child("to", p), findings);
  }
  if (spec.policy_types.size() > 2)
    return findings.invalid(kSpec.child("policyTypes"), Shown::list(spec.policy_types, "[]networking.PolicyType"), "may not specify more than two policyTypes");
  for (size_t i = 0; i < spec.policy_types.size(); ++i)
    if (!is_one_of(spec.policy_types[i], {"Ingress", "Egress"}))
      findings.not_supported(kSpec.child("policyTypes", i), spec.policy_types[i], {"Ingress", "Egress"});
}

void check_create(const NetworkPolicy& policy, Findings& findings) {
  check_object_meta(*policy.metadata, true, name_is_subdomain, findings);
  check_policy_spec(*policy.spec, {}, findings);
}

void check_update(const NetworkPolicy& policy, const NetworkPolicy& old, Findings& findings) {
  Findings of_old;
  check_label_selector(&old.spec->pod_selector, kSpec, of_old);
  const SelectorRules rules{!of_old.empty()};
  check_object_meta(*policy.metadata, true, name_is_subdomain, findings);
  check_policy_spec(*policy.spec, rules, findings);
  check_object_meta_update(*policy.metadata, *old.metadata, findings);
  check_policy_spec(*policy.spec, rules, findings);
}

void check_reference(const Opt<Str>& group, const Str& kind, const Str& name, const Path& at, Findings& findings) {
  if (group) check_subdomain(*group, at.child("apiGroup"), findings);
  if (kind.empty()) findings.required(at.child("kind"), "kind is required");
  else findings.invalid(at.child("kind"), kind, check_path_segment(kind));
  if (name.empty()) findings.required(at.child("name"), "name is required");
  else findings.invalid(at.child("name"), name, check_path_segment(name));
}

void check_service_backend(const IngressServiceBackend& service, const Path& backend, Findings& findings) {
  const Path at = backend.child("service");
  if (service.name.empty()) findings.required(at.child("name"));
  else findings.invalid(at.child("name"), service.name, check_dns1035_label(service.name));
  const Path port = at.child("port");
  const bool named = !service.port.name.empty(), numbered = service.port.number != 0;
  if (named && numbered) findings.invalid(backend, "", "cannot set both port name & port number");
  else if (named) findings.invalid(port.child("name"), service.port.name, check_port_name(service.port.name));
  else if (numbered) check_port_number(service.port.number, port.child("number"), findings);
  else findings.required(backend, "port name or number is required");
}

void check_backend(const IngressBackend& backend, const Path& at, Findings& findings) {
  const auto& resource = backend.resource;
  if (resource && backend.service) return findings.invalid(at, "", "cannot set both resource and service backends");
  if (resource) check_reference(resource->api_group, resource->kind, resource->name, at.child("resource"), findings);
  else if (backend.service) check_service_backend(*backend.service, at, findings);
  else findings.invalid(at, "", "resource or service backend is required");
}

void check_exact_path(const Str& path, const Path& at, Findings& findings) {
  if (!path.view().starts_with('/')) findings.invalid(at, path, "must be an absolute path");
  for (const std::string_view part : {"//", "/./", "/../", "%2f", "%2F"})
    if (contains(path, part)) findings.invalid(at, path, str_cat("must not contain '", part, "'"));
  for (const std::string_view end : {"/..", "/."})
    if (path.view().ends_with(end)) findings.invalid(at, path, str_cat("cannot end with '", end, "'"));
}

void check_http_path(const HTTPIngressPath& path, const Path& at, Findings& findings) {
  if (!path.path_type) return findings.required(at.child("pathType"), "pathType must be specified");
  const Str& type = *path.path_type;
  if (is_one_of(type, {"Exact", "Prefix"})) {
    check_exact_path(path.path, at.child("path"), findings);
  } else if (type == "ImplementationSpecific") {
    if (!path.path.empty() && !path.path.view().starts_with('/')) findings.invalid(at.child("path"), path.path, "must be an absolute path");
  } else {
    findings.not_supported(at.child("pathType"), type, {"Exact", "ImplementationSpecific", "Prefix"});
  }
  check_backend(path.backend, at.child("backend"), findings);
}

void check_rule_value(const IngressRule& rule, const Path& at, Findings& findings) {
  if (!rule.http) return;
  const Path http = at.child("http");
  const Path paths = http.child("paths");
  if (rule.http->paths.empty()) findings.required(paths);
  for (size_t i = 0; i < rule.http->paths.size(); ++i) check_http_path(rule.http->paths[i], paths.index(i), findings);
}

// Errors that an object has already may stay.
struct IngressRules {
  bool any_secret_name = false;
  bool any_wildcard_rule = false;

  static IngressRules replacing(const Ingress& old) {
    IngressRules rules;
    for (const auto& tls : old.spec->tls)
      rules.any_secret_name = rules.any_secret_name || (!tls.secret_name.empty() && !name_is_subdomain(tls.secret_name, false).empty());
    Findings of_rules;
    for (const auto& rule : old.spec->rules)
      if (contains(rule.host, "*")) check_rule_value(rule, kSpec, of_rules);
    rules.any_wildcard_rule = !of_rules.empty();
    return rules;
  }
};

void check_host(const Str& host, const Path& at, Findings& findings) {
  if (contains(host, "*")) findings.invalid(at, host, check_wildcard_subdomain(host));
  else check_subdomain(host, at, findings);
}

void check_ingress_rules(const IngressSpec& spec, IngressRules rules, Findings& findings) {
  for (size_t i = 0; i < spec.rules.size(); ++i) {
    const auto& rule = spec.rules[i];
    const Path at = kSpec.child("rules", i);
    const Path host = at.child("host");
    if (!rule.host.empty()) {
      if (parse_ip(rule.host)) findings.invalid(host, rule.host, "must be a DNS name, not an IP address");
      check_host(rule.host, host, findings);
    }
    if (!rules.any_wildcard_rule || !contains(rule.host, "*")) check_rule_value(rule, at, findings);
  }
}

void check_tls(const IngressSpec& spec, IngressRules rules, Findings& findings) {
  for (size_t i = 0; i < spec.tls.size(); ++i) {
    const auto& tls = spec.tls[i];
    const Path at = kSpec.child("tls", i);
    for (size_t h = 0; h < tls.hosts.size(); ++h) check_host(tls.hosts[h], at.child("hosts", h), findings);
    if (!rules.any_secret_name && !tls.secret_name.empty()) check_subdomain(tls.secret_name, at.child("secretName"), findings);
  }
}

void check_ingress(const Ingress& ingress, IngressRules rules, Findings& findings) {
  const auto& spec = *ingress.spec;
  check_object_meta(*ingress.metadata, true, name_is_subdomain, findings);
  if (spec.rules.empty() && !spec.default_backend)
    findings.invalid(kSpec, Shown::raw(spec.rules.is_nil() ? "[]networking.IngressRule(nil)" : "[]networking.IngressRule{}"),
                     "either `defaultBackend` or `rules` must be specified");
  if (spec.default_backend) check_backend(*spec.default_backend, kSpec.child("defaultBackend"), findings);
  check_ingress_rules(spec, rules, findings);
  check_tls(spec, rules, findings);
  if (spec.ingress_class_name) check_subdomain(*spec.ingress_class_name, kSpec.child("ingressClassName"), findings);
}

void check_create(const Ingress& ingress, Findings& findings) {
  constexpr std::string_view kClass = "kubernetes.io/ingress.class";
  constexpr Path kAnnotations("annotations");
  check_ingress(ingress, {}, findings);
  const Str* annotation = ingress.metadata->annotations.find(kClass);
  const auto& name = ingress.spec->ingress_class_name;
  if (annotation && name && *annotation != *name)
    findings.invalid(kAnnotations.child(kClass), *annotation, "must match `ingressClassName` when both are specified");
}

void check_update(const Ingress& ingress, const Ingress& old, Findings& findings) {
  check_object_meta_update(*ingress.metadata, *old.metadata, findings);
  check_ingress(ingress, IngressRules::replacing(old), findings);
}

void check_status(const Ingress& ingress, const Ingress& old, Findings& findings) {
  constexpr Path kIngress("status.loadBalancer.ingress");
  check_object_meta_update(*ingress.metadata, *old.metadata, findings);
  const auto& list = ingress.status->load_balancer.ingress;
  for (size_t i = 0; i < list.size(); ++i) {
    const Path at = kIngress.index(i);
    if (!list[i].ip.empty()) check_ip(list[i].ip, at.child("ip"), findings);
    if (!list[i].hostname.empty()) check_ingress_hostname(list[i].hostname, at.child("hostname"), findings);
  }
}

void check_parameters(const IngressClassParametersReference& ref, const Path& at, Findings& findings) {
  check_reference(ref.api_group, ref.kind, ref.name, at, findings);
  const Path scope = at.child("scope"), ns = at.child("namespace");
  if (!ref.scope) return findings.required(scope);
  if (!is_one_of(*ref.scope, {"Cluster", "Namespace"})) return findings.not_supported(scope, *ref.scope, {"Cluster", "Namespace"});
  if (*ref.scope == "Cluster") {
    if (ref.namespace_) findings.forbidden(ns, "`parameters.scope` is set to 'Cluster'");
  } else if (!ref.namespace_) {
    findings.required(ns, "`parameters.scope` is set to 'Namespace'");
  } else {
    check_label(*ref.namespace_, ns, findings);
  }
}

void check_create(const IngressClass& ic, Findings& findings) {
  constexpr size_t kControllerMax = 250;
  check_object_meta(*ic.metadata, false, name_is_subdomain, findings);
  const Path controller = kSpec.child("controller");
  if (ic.spec->controller.size() > kControllerMax) findings.too_long(controller, kControllerMax);
  check_domain_prefixed_path(ic.spec->controller, controller, findings);
  if (ic.spec->parameters) check_parameters(*ic.spec->parameters, kSpec.child("parameters"), findings);
}

void check_update(const IngressClass& ic, const IngressClass& old, Findings& findings) {
  check_object_meta_update(*ic.metadata, *old.metadata, findings);
  check_immutable(ic.spec->controller, old.spec->controller, kSpec.child("controller"), ic.spec->controller, findings);
  check_create(ic, findings);
}

}  // namespace

std::span<const CheckRow> networking_checks() {
  static const CheckRow kRows[] = {
      check_row<NetworkPolicy, check_create, check_update>(),
      check_row<Ingress, check_create, check_update, check_status>(),
      check_row<IngressClass, check_create, check_update>(),
  };
  return kRows;
}

}  // namespace orrery::server
