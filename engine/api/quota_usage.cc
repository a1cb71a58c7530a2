#include <algorithm>

#include "engine/api/quota.h"
#include "engine/api/resource_names.h"

namespace orrery::api {
namespace {

constexpr std::string_view kClassSuffix = ".storageclass.storage.k8s.io/";
constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

Quantity one() { return Quantity::from_int(1); }

bool counts_for_quota(const corev1::Pod& pod, Time now) {
  if (is_terminal(pod)) return false;
  const auto& meta = *pod.metadata;
  if (!meta.deletion_timestamp || !meta.deletion_grace_period_seconds) return true;
  return now <= meta.deletion_timestamp->time() + Duration::seconds(*meta.deletion_grace_period_seconds);
}

bool has_prefix(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view p) { return name.starts_with(p); });
}

// What requests and limits are called in quotas.
ResourceList compute_usage(const ResourceList& requests, const ResourceList& limits) {
  ResourceList out;
  out.set("pods", one());
  for (const auto& [name, amount] : requests) {
    const bool standard = name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.view().starts_with("hugepages-");
    if (standard) out.set(name, amount);
    if (standard || is_extended_resource(name)) out.set(str_cat("requests.", name), amount);
  }
  for (const auto& [name, amount] : limits)
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage") out.set(str_cat("limits.", name), amount);
  return out;
}

ResourceList pod_usage(const corev1::Pod& pod, Time now) {
  ResourceList out;
  if (counts_for_quota(pod, now)) out = compute_usage(pod_requests(*pod.spec), pod_limits(*pod.spec));
  return out;
}

ResourceList service_usage(const corev1::Service& service) {
  const auto& spec = *service.spec;
  const auto& ports = spec.ports;
  int64_t node_ports = 0;
  const bool balances = spec.type == "LoadBalancer";
  if (spec.type == "NodePort" || balances) node_ports = static_cast<int64_t>(ports.size());
  // Ports without a node port get one, unless that is switched off.
  if (balances && !spec.allocate_load_balancer_node_ports.value_or(true))
    node_ports = std::count_if(ports.begin(), ports.end(), [](const auto& port) { return port.node_port != 0; });
  ResourceList out;
  out.set("services", one());
  out.set("services.nodeports", Quantity::from_int(node_ports));
  out.set("services.loadbalancers", Quantity::from_int(balances ? 1 : 0));
  return out;
}

ResourceList claim_usage(const corev1::PersistentVolumeClaim& claim) {
  ResourceList out;
  out.set("persistentvolumeclaims", one());
  if (const Quantity* asked = claim.spec->resources.requests.find("storage")) {
    const Quantity* given = claim.status->allocated_resources.find("storage");
    Quantity storage = given && *given > *asked ? *given : *asked;
    Quantity rounded = storage;
    if (!rounded.round_up(0)) storage = rounded;  // quotas are in whole bytes
    out.set("requests.storage", storage);
  }
  const Str* annotated = claim.metadata->annotations.find(kClassAnnotation);
  const Str storage_class = annotated ? *annotated : claim.spec->storage_class_name.value_or(Str());
  if (storage_class.empty()) return out;
  const ResourceList total = out;
  for (const auto& [name, amount] : total) out.set(str_cat(storage_class, kClassSuffix, name), amount);
  return out;
}

std::string count_name(const KindDesc& kind) {
  return kind.group.empty() ? str_cat("count/", kind.plural) : str_cat("count/", kind.plural, ".", kind.group);
}

// Kinds that quotas could count before count/... was there.
bool has_short_name(const KindDesc& kind) {
  constexpr std::string_view kPlurals[] = {"configmaps", "resourcequotas", "replicationcontrollers", "secrets"};
  return kind.group.empty() && std::find(std::begin(kPlurals), std::end(kPlurals), kind.plural) != std::end(kPlurals);
}

bool pod_counts_for(std::string_view name) {
  constexpr std::string_view kNames[] = {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
                                         "requests.ephemeral-storage", "limits.cpu", "limits.memory",
                                         "limits.ephemeral-storage", "pods"};
  if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) return true;
  if (has_prefix(name, {"hugepages-", "requests.hugepages-"})) return true;
  return !is_native_resource(name) && name.starts_with("requests.");
}

bool claim_counts_for(std::string_view name) {
  const size_t at = name.find(kClassSuffix);
  if (at != std::string_view::npos) name.remove_prefix(at + kClassSuffix.size());
  return name == "persistentvolumeclaims" || name == "requests.storage";
}

bool counts_for(const KindDesc& kind, std::string_view name) {
  if (name == count_name(kind)) return true;
  if (has_short_name(kind)) return name == kind.plural;
  if (!kind.group.empty()) return false;
  if (kind.kind == "Pod") return pod_counts_for(name);
  if (kind.kind == "PersistentVolumeClaim") return claim_counts_for(name);
  return kind.kind == "Service" && (name == "services" || name == "services.nodeports" || name == "services.loadbalancers");
}

// A container must say how much of these it wants. An old mistake that is kept.
bool must_be_said(std::string_view name) {
  constexpr std::string_view kNames[] = {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

ResourceList quota_usage(const Object& object, Time now) {
  ResourceList out;
  if (const auto* pod = object.as<corev1::Pod>()) out = pod_usage(*pod, now);
  if (const auto* service = object.as<corev1::Service>()) out = service_usage(*service);
  if (const auto* claim = object.as<corev1::PersistentVolumeClaim>()) out = claim_usage(*claim);
  if (has_short_name(*object.kind())) out.set(object.kind()->plural, one());
  out.set(count_name(*object.kind()), one());
  return out;
}

std::vector<Str> quota_names_of(const KindDesc& kind, const ResourceList& hard) {
  std::vector<Str> out;
  for (const auto& [name, amount] : hard)
    if (counts_for(kind, name)) out.push_back(name);
  return out;
}

std::string quota_constraints(const std::vector<Str>& names, const Object& object) {
  const auto* pod = object.as<corev1::Pod>();
  std::string out;
  for (const Str& name : names) {
    if (!pod || !must_be_said(name)) continue;
    std::vector<Str> missing;
    const auto check = [&](const corev1::Container& container) {
      if (!compute_usage(container.resources.requests, container.resources.limits).contains(name))
        missing.push_back(container.name);
    };
    for (const auto& container : pod->spec->containers) check(container);
    for (const auto& container : pod->spec->init_containers) check(container);
    if (missing.empty()) continue;
    std::sort(missing.begin(), missing.end());
    out += str_cat(out.empty() ? "must specify " : "; ", name, " for: ");
    for (size_t i = 0; i < missing.size(); ++i) out += str_cat(i > 0 ? "," : "", missing[i]);
  }
  return out;
}

}  // namespace orrery::api
