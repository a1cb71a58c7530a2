#include "engine/server/validation/pod_spec.h"

#include "engine/api/codec_json.h"
#include "engine/server/validation/containers.h"
#include "engine/server/validation/ip.h"
#include "engine/server/validation/placement.h"
#include "engine/server/validation/pod_security.h"

namespace orrery::server {
namespace {

constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
constexpr std::string_view kMirrorPod = "kubernetes.io/config.mirror";
constexpr std::string_view kTolerations = "scheduler.alpha.kubernetes.io/tolerations";

void check_claims(const List<corev1::PodResourceClaim>& claims, const Path& at, Seen& names, Findings& findings) {
  for (size_t i = 0; i < claims.size(); ++i) {
    const auto& claim = claims[i];
    const Path here = at.index(i);
    if (claim.name.empty()) findings.required(here.child("name"));
    else if (names.has(claim.name)) findings.duplicate(here.child("name"), claim.name);
    else check_label(claim.name, here.child("name"), findings);
    if (!claim.name.empty()) names.insert(claim.name);
    if (claim.resource_claim_name && claim.resource_claim_template_name)
      findings.invalid(here, Shown::object(claim), "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
    if (!claim.resource_claim_name && !claim.resource_claim_template_name)
      findings.invalid(here, Shown::object(claim), "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    if (claim.resource_claim_name) check_subdomain(*claim.resource_claim_name, here.child("resourceClaimName"), findings);
    if (claim.resource_claim_template_name)
      check_subdomain(*claim.resource_claim_template_name, here.child("resourceClaimTemplateName"), findings);
  }
}

void check_host_network_ports(const corev1::PodSpec& spec, bool is_pod, const Path& at, Findings& findings) {
  if (!spec.host_network) return;
  for (size_t i = 0; i < spec.containers.size(); ++i) {
    const Path container = at.child("containers", i);
    for (size_t p = 0; p < spec.containers[i].ports.size(); ++p) {
      const auto& port = spec.containers[i].ports[p];
      if ((!is_pod && port.host_port == 0) || port.host_port == port.container_port) continue;
      const Path here = container.child("ports", p);
      findings.invalid(here.child("hostPort"), port.host_port, "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

void check_dns(const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  constexpr size_t kNameserversMax = 3, kSearchesMax = 32, kSearchCharsMax = 2048;
  const auto* config = spec.dns_config.get();
  if (spec.dns_policy == "None") {
    if (!config) return findings.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
    if (config->nameservers.empty())
      return findings.required(at.child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
  if (!config) return;
  if (config->nameservers.size() > kNameserversMax)
    findings.invalid(at.child("nameservers"), Shown::list(config->nameservers), "must not have more than 3 nameservers");
  for (size_t i = 0; i < config->nameservers.size(); ++i) check_ip(config->nameservers[i], at.child("nameservers", i), findings);
  if (config->searches.size() > kSearchesMax)
    findings.invalid(at.child("searches"), Shown::list(config->searches), "must not have more than 32 search paths");
  size_t chars = config->searches.empty() ? 0 : config->searches.size() - 1;
  for (const Str& search : config->searches) chars += search.size();
  if (chars > kSearchCharsMax)
    findings.invalid(at.child("searches"), Shown::list(config->searches),
                     "must not have more than 2048 characters (including spaces) in the search list");
  for (size_t i = 0; i < config->searches.size(); ++i) {
    std::string_view search = config->searches[i];
    if (search.ends_with('.')) search.remove_suffix(1);
    check_subdomain(search, at.child("searches", i), findings);
  }
  for (size_t i = 0; i < config->options.size(); ++i)
    if (config->options[i].name.empty()) findings.required(at.child("options", i), "must not be empty");
}

void check_gates(const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  for (size_t i = 0; i < spec.readiness_gates.size(); ++i) {
    const Path here = at.child("readinessGates", i);
    check_qualified(spec.readiness_gates[i].condition_type, here.child("conditionType"), findings);
  }
  Seen seen;
  for (size_t i = 0; i < spec.scheduling_gates.size(); ++i) {
    const Path here = at.child("schedulingGates", i);
    check_qualified(spec.scheduling_gates[i].name, here, findings);
    if (!seen.insert(spec.scheduling_gates[i].name)) findings.duplicate(here, spec.scheduling_gates[i].name);
  }
}

void check_host_users(const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  if (spec.host_users.value_or(true)) return;
  constexpr std::string_view kText = "when `pod.Spec.HostUsers` is false";
  if (spec.host_network) findings.forbidden(at.child("hostNetwork"), kText);
  if (spec.host_pid) findings.forbidden(at.child("HostPID"), kText);
  if (spec.host_ipc) findings.forbidden(at.child("HostIPC"), kText);
}

void check_names(const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  if (!spec.service_account_name.empty()) check_subdomain(spec.service_account_name, at.child("serviceAccountName"), findings);
  if (!spec.node_name.empty()) check_subdomain(spec.node_name, at.child("nodeName"), findings);
  if (spec.active_deadline_seconds) {
    const int64_t seconds = *spec.active_deadline_seconds;
    if (seconds < 1 || seconds > INT32_MAX) findings.invalid(at.child("activeDeadlineSeconds"), seconds, between(1, INT32_MAX));
  }
  if (!spec.hostname.empty()) check_label(spec.hostname, at.child("hostname"), findings);
  if (!spec.subdomain.empty()) check_label(spec.subdomain, at.child("subdomain"), findings);
  check_tolerations(spec.tolerations, at.child("tolerations"), findings);
  for (size_t i = 0; i < spec.host_aliases.size(); ++i) {
    const Path here = at.child("hostAliases", i);
    check_ip(spec.host_aliases[i].ip, here.child("ip"), findings);
    const auto& names = spec.host_aliases[i].hostnames;
    for (size_t k = 0; k < names.size(); ++k) check_subdomain(names[k], here.child("hostnames", k), findings);
  }
  if (!spec.priority_class_name.empty()) check_subdomain(spec.priority_class_name, at.child("priorityClassName"), findings);
  if (spec.runtime_class_name) check_subdomain(*spec.runtime_class_name, at.child("runtimeClassName"), findings);
  if (spec.preemption_policy) findings.one_of(*spec.preemption_policy, at.child("preemptionPolicy"), {"PreemptLowerPriority", "Never"});
}

bool is_int32(std::string_view text) {
  if (text.empty() || text.size() > 11) return false;
  const size_t start = text[0] == '-' ? 1 : 0;
  if (start == text.size() || (text.size() > start + 1 && text[start] == '0') || text == "-0") return false;
  int64_t value = 0;
  for (size_t i = start; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  return start == 1 ? value <= int64_t{1} << 31 : value <= INT32_MAX;
}

void check_toleration_annotation(const Str& text, const Path& at, Findings& findings) {
  const auto json = api::Json::parse(text);
  if (!json.is_ok() || !json->is_array()) return findings.invalid(at, kTolerations, "invalid character");
  List<corev1::Toleration> tolerations;
  for (const api::Json& item : json->items())
    if (auto one = api::struct_from_json<corev1::Toleration>(item); one.is_ok()) tolerations.push_back(std::move(*one));
  check_tolerations(tolerations, at.child(kTolerations), findings);
}

template <typename A>
bool has_invalid_values(const A& affinity) {
  for (const auto& term : affinity.required_during_scheduling_ignored_during_execution)
    if (has_invalid_label_value(term.label_selector.get())) return true;
  for (const auto& term : affinity.preferred_during_scheduling_ignored_during_execution)
    if (has_invalid_label_value(term.pod_affinity_term.label_selector.get())) return true;
  return false;
}

}  // namespace

PodRules PodRules::replacing(const corev1::PodSpec& old) {
  PodRules rules;
  if (old.affinity) {
    if (old.affinity->pod_affinity) rules.any_label_values = has_invalid_values(*old.affinity->pod_affinity);
    if (old.affinity->pod_anti_affinity)
      rules.any_label_values = rules.any_label_values || has_invalid_values(*old.affinity->pod_anti_affinity);
  }
  for (const auto& c : old.topology_spread_constraints) {
    Findings findings;
    check_label_selector(c.label_selector.get(), Path("labelSelector"), findings);
    rules.any_spread_selectors = rules.any_spread_selectors || !findings.empty();
  }
  return rules;
}

void check_pod_spec(const corev1::PodSpec& spec, const metav1::ObjectMeta* meta, const PodRules& rules, const Path& at,
                    Findings& findings) {
  if (!spec.termination_grace_period_seconds) findings.required(at.child("terminationGracePeriodSeconds"));
  const PodVolumes volumes = check_pod_volumes(spec.volumes, meta, rules.is_pod, at.child("volumes"), findings);
  Seen claim_names;
  check_claims(spec.resource_claims, at.child("resourceClaims"), claim_names, findings);
  const ContainerContext context{spec, volumes, claim_names, rules.resources, rules.allow_privileged};
  check_containers(context, at.child("containers"), findings);
  check_init_containers(context, at.child("initContainers"), findings);
  check_ephemeral_containers(context, at.child("ephemeralContainers"), findings);
  check_host_network_ports(spec, rules.is_pod, at, findings);
  findings.one_of(spec.restart_policy, at.child("restartPolicy"), {"Always", "OnFailure", "Never"});
  findings.one_of(spec.dns_policy, at.child("dnsPolicy"), {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"});
  check_labels(spec.node_selector, at.child("nodeSelector"), findings);
  check_pod_security_context(spec, !rules.any_sysctl_namespaces, at, findings);
  if (spec.affinity) check_affinity(*spec.affinity, {rules.any_label_values}, at.child("affinity"), findings);
  check_dns(spec, at.child("dnsConfig"), findings);
  check_gates(spec, at, findings);
  check_spread_constraints(spec.topology_spread_constraints, !rules.any_spread_selectors, at.child("topologySpreadConstraints"), findings);
  check_host_process(spec, rules.allow_privileged, at, findings);
  check_host_users(spec, at, findings);
  check_names(spec, at, findings);
  if (!spec.overhead.empty()) {
    corev1::ResourceRequirements overhead;
    overhead.limits = spec.overhead;
    check_resource_requirements(overhead, Seen(), rules.resources, at.child("overhead"), findings);
  }
  check_pod_os(spec, at, findings);
}

void check_pod_annotations(const Map<Str>& annotations, const corev1::PodSpec& spec, const PodRules& rules, const Path& at,
                           Findings& findings) {
  if (annotations.empty()) return;
  const Str* mirror = annotations.find(kMirrorPod);
  if (mirror && spec.node_name.empty())
    findings.invalid(at.key(kMirrorPod), *mirror, "must set spec.nodeName if mirror pod annotation is set");
  const Str* tolerations = annotations.find(kTolerations);
  if (tolerations && !tolerations->empty()) check_toleration_annotation(*tolerations, at, findings);
  const Str* cost = annotations.find(kDeletionCost);
  if (cost && !rules.any_deletion_cost && !is_int32(*cost)) findings.invalid(at.key(kDeletionCost), *cost, "must be a 32bit integer");
  check_seccomp_annotations(annotations, at, findings);
  check_app_armor_annotations(annotations, spec, at, findings);
}

void check_pod_template(const corev1::PodTemplateSpec& tmpl, const PodRules& rules, const Path& at, Findings& findings) {
  const auto& meta = *tmpl.metadata;
  check_labels(meta.labels, at.child("labels"), findings);
  const Path annotations = at.child("annotations");
  check_annotations(meta.annotations, annotations, findings);
  check_pod_annotations(meta.annotations, *tmpl.spec, rules, annotations, findings);
  const Path spec = at.child("spec");
  check_pod_spec(*tmpl.spec, nullptr, rules, spec, findings);
  check_profile_annotations(meta.annotations, *tmpl.spec, spec, findings);
  if (!tmpl.spec->ephemeral_containers.empty())
    findings.forbidden(spec.child("ephemeralContainers"), "ephemeral containers not allowed in pod template");
}

}  // namespace orrery::server
