#include "engine/control/endpoints/service_pods.h"

#include <algorithm>

#include "engine/api/pod_util.h"

namespace orrery::control {
namespace {

// The state of a pod that its endpoints depend on, but for its labels.
bool same_endpoint(const corev1::Pod& a, const corev1::Pod& b) {
  return a.spec->hostname == b.spec->hostname && a.spec->subdomain == b.spec->subdomain && a.spec->node_name == b.spec->node_name &&
         !a.metadata->deletion_timestamp == !b.metadata->deletion_timestamp &&
         api::is_pod_terminal(a) == api::is_pod_terminal(b) && api::is_pod_ready(a) == api::is_pod_ready(b) &&
         a.status->pod_ip == b.status->pod_ip &&
         std::equal(a.status->pod_ips.begin(), a.status->pod_ips.end(), b.status->pod_ips.begin(), b.status->pod_ips.end(),
                    [](const corev1::PodIP& x, const corev1::PodIP& y) { return x.ip == y.ip; });
}

template <typename Containers>
std::optional<int32_t> named_port(const Containers& containers, const corev1::ServicePort& wanted, bool only_sidecars) {
  for (const auto& container : containers) {
    if (only_sidecars && container.restart_policy.value_or(Str()) != "Always") continue;
    for (const corev1::ContainerPort& port : container.ports)
      if (port.name == wanted.target_port.text && port.protocol == wanted.protocol) return port.container_port;
  }
  return std::nullopt;
}

}  // namespace

bool has_endpoint(const corev1::Pod& pod, bool while_deleted) {
  if (api::is_pod_terminal(pod)) return false;
  if (pod.status->pod_ip.empty() && pod.status->pod_ips.empty()) return false;
  return while_deleted || !pod.metadata->deletion_timestamp;
}

bool has_own_name(const corev1::Pod& pod, const corev1::Service& service) {
  return !pod.spec->hostname.empty() && pod.spec->subdomain == service.metadata->name &&
         pod.metadata->namespace_ == service.metadata->namespace_;
}

std::optional<int32_t> find_port(const corev1::Pod& pod, const corev1::ServicePort& port, bool sidecars) {
  if (!port.target_port.is_text) return static_cast<int32_t>(port.target_port.number);
  const auto found = named_port(pod.spec->containers, port, false);
  return found || !sidecars ? found : named_port(pod.spec->init_containers, port, true);
}

bool is_ipv6(std::string_view address) { return address.find(':') != std::string_view::npos; }

bool has_cluster_ip(const corev1::Service& service) {
  return !service.spec->cluster_ip.empty() && service.spec->cluster_ip != "None";
}

bool selects_pod(const corev1::Service& service, const metav1::ObjectMeta& pod) {
  const Map<Str>& selector = service.spec->selector;
  if (service.metadata->namespace_ != pod.namespace_ || selector.is_nil()) return false;
  return std::all_of(selector.begin(), selector.end(), [&](const auto& entry) {
    const Str* value = pod.labels.find(entry.key);
    return value && *value == entry.value;
  });
}

std::vector<api::Object> pods_of(const corev1::Service& service, const Informer& pods, size_t namespaces) {
  std::vector<api::Object> found;
  pods.for_each_in(namespaces, service.metadata->namespace_, [&](const api::Object& pod) {
    if (selects_pod(service, pod.meta())) found.push_back(pod);
  });
  std::sort(found.begin(), found.end(), [](const api::Object& a, const api::Object& b) { return a.meta().name < b.meta().name; });
  return found;
}

std::vector<Str> services_of_change(const Change& change, const Informer& services, size_t namespaces) {
  const api::Object &before = change.before, &after = change.after;
  const bool labels = before && after && !(before.meta().labels == after.meta().labels);
  if (before && after && !labels && same_endpoint(before.get<corev1::Pod>(), after.get<corev1::Pod>())) return {};
  std::vector<Str> keys;
  services.for_each_in(namespaces, change.newest().meta().namespace_, [&](const api::Object& object) {
    const auto& service = object.get<corev1::Service>();
    const bool was = before && selects_pod(service, before.meta()), is = selects_pod(service, change.newest().meta());
    if (was || is) keys.push_back(api::object_key(object.meta()));
  });
  return keys;
}

std::optional<Time> TriggerTimes::next(const Str& key, const corev1::Service& service, const std::vector<api::Object>& pods) {
  const auto known = services_.find(key);
  const Seen before = known == services_.end() ? Seen() : known->second;
  Seen now;
  std::optional<Time> earliest;
  const auto changed = [&](Time at) { earliest = earliest ? std::min(*earliest, at) : at; };
  for (const api::Object& pod : pods) {
    const auto* ready = api::pod_condition(pod.get<corev1::Pod>(), "Ready");
    if (!ready || !ready->last_transition_time.set) continue;
    const Time since = now.pods[pod.meta().name] = ready->last_transition_time.time();
    const auto seen = before.pods.find(pod.meta().name);
    if (seen == before.pods.end() || since > seen->second) changed(since);
  }
  const Time created = service.metadata->creation_timestamp.time();
  now.service = created;
  if (!before.service || created > *before.service) changed(created);
  const bool fresh = known == services_.end();
  services_[key] = std::move(now);
  return fresh ? created : earliest;
}

}  // namespace orrery::control
