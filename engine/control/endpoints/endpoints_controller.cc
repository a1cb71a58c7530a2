#include "engine/control/endpoints/endpoints_controller.h"

#include "engine/api/pod_util.h"
#include "engine/api/semantic.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/endpoints/endpoint_subsets.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr size_t kServices = 0, kPods = 1, kEndpoints = 2;
constexpr size_t kNamespaces = 0;
const Str kTrigger = Str::literal("endpoints.kubernetes.io/last-change-trigger-time");
const Str kOverCapacity = Str::literal("endpoints.kubernetes.io/over-capacity");
const Str kHeadless = Str::literal("service.kubernetes.io/headless");
constexpr std::string_view kLeaderElection = "control-plane.alpha.kubernetes.io/leader";

bool wants_ipv6(const corev1::Service& service, const corev1::Pod& pod) {
  if (!service.spec->ip_families.empty()) return service.spec->ip_families[0] == "IPv6";
  return is_ipv6(has_cluster_ip(service) ? service.spec->cluster_ip : pod.status->pod_ip);
}

// nullopt: the pod has no address of the Service's family.
std::optional<corev1::EndpointAddress> address_of(const corev1::Service& service, const corev1::Pod& pod) {
  corev1::EndpointAddress address;
  const bool six = wants_ipv6(service, pod);
  for (const corev1::PodIP& ip : pod.status->pod_ips)
    if (address.ip.empty() && is_ipv6(ip.ip) == six) address.ip = ip.ip;
  if (address.ip.empty()) return std::nullopt;
  address.node_name = pod.spec->node_name;
  corev1::ObjectReference& pod_ref = address.target_ref.mut();
  pod_ref.kind = "Pod";
  pod_ref.namespace_ = pod.metadata->namespace_;
  pod_ref.name = pod.metadata->name;
  pod_ref.uid = pod.metadata->uid;
  if (has_own_name(pod, service)) address.hostname = pod.spec->hostname;
  return address;
}

List<corev1::EndpointSubset> subsets_of(const corev1::Service& service, const std::vector<api::Object>& pods) {
  const bool all_ready = service.spec->publish_not_ready_addresses;
  std::vector<OneEndpoint> endpoints;
  for (const api::Object& object : pods) {
    const auto& pod = object.get<corev1::Pod>();
    auto address = has_endpoint(pod, all_ready) ? address_of(service, pod) : std::nullopt;
    if (!address) continue;
    OneEndpoint one{std::move(*address), {}, all_ready || api::is_pod_ready(pod)};
    for (const corev1::ServicePort& service_port : service.spec->ports) {
      const auto number = find_port(pod, service_port, true);
      if (!number) continue;
      corev1::EndpointPort port;
      port.name = service_port.name;
      port.port = *number;
      port.protocol = service_port.protocol;
      port.app_protocol = service_port.app_protocol;
      one.ports.push_back(std::move(port));
    }
    const bool needs_no_port = service.spec->ports.empty() && service.spec->cluster_ip == "None";
    if (!one.ports.empty() || needs_no_port) endpoints.push_back(std::move(one));
  }
  return repack(endpoints);
}

bool is_current(const corev1::Endpoints& current, const corev1::Service& service, const List<corev1::EndpointSubset>& subsets) {
  Map<Str> labels = current.metadata->labels;
  labels.erase(kHeadless);
  if (!(labels == service.metadata->labels)) return false;
  if (address_count(current.subsets) > kAddressesMax || current.metadata->annotations.contains(kOverCapacity)) return false;
  corev1::Endpoints a, b;
  a.subsets = current.subsets;
  b.subsets = subsets;
  for (corev1::Endpoints* endpoints : {&a, &b})
    for (size_t i = 0; i < endpoints->subsets.size(); ++i)
      for (auto* addresses : {&endpoints->subsets.mut(i).addresses, &endpoints->subsets.mut(i).not_ready_addresses})
        for (size_t k = 0; k < addresses->size(); ++k)
          if ((*addresses)[k].target_ref) addresses->mut(k).target_ref.mut().resource_version = {};
  return api::semantic_equal(a, b);
}

api::Object written(const EndpointsInputs& in, List<corev1::EndpointSubset> subsets) {
  const auto& service = in.service.get<corev1::Service>();
  corev1::Endpoints out;
  if (in.endpoints) out = in.endpoints.get<corev1::Endpoints>();
  metav1::ObjectMeta& meta = out.metadata.mut();
  meta.name = in.name;
  meta.namespace_ = in.ns;
  meta.labels = service.metadata->labels;
  if (in.trigger) meta.annotations.set(kTrigger, Str(api::format_time_nano(api::Timestamp(*in.trigger))));
  else meta.annotations.erase(kTrigger);
  if (truncate(subsets)) meta.annotations.set(kOverCapacity, Str("truncated"));
  else meta.annotations.erase(kOverCapacity);
  if (has_cluster_ip(service)) meta.labels.erase(kHeadless);
  else meta.labels.set(kHeadless, Str());
  out.subsets = std::move(subsets);
  return api::Object::of(std::move(out));
}

}  // namespace

Status sync_endpoints(const EndpointsInputs& in, WriteLog& log, const std::function<void()>& replaced) {
  if (!in.service) {
    const ApiResponse& gone = log.call([&] { return delete_request(kind_of<corev1::Endpoints>(), in.ns, in.name); });
    return gone.status.code() == Code::kNotFound ? Status() : gone.status;
  }
  const auto& service = in.service.get<corev1::Service>();
  if (service.spec->type == "ExternalName" || service.spec->selector.is_nil()) return Status();
  const std::string key = str_cat(in.ns, "/", in.name);
  if (in.stale)
    return Status(Code::kInternal, str_cat("endpoints informer cache is out of date, resource version ",
                                           in.endpoints.meta().resource_version, " already processed for endpoints ", key));
  List<corev1::EndpointSubset> subsets = subsets_of(service, in.pods);
  if (in.endpoints && is_current(in.endpoints.get<corev1::Endpoints>(), service, subsets)) return Status();
  const api::Object fresh = written(in, std::move(subsets));
  const ApiResponse& answer = log.call([&] { return in.endpoints ? update_request(fresh) : create_request(fresh); });
  if (log.pending()) return answer.status;
  if (answer.status.is_ok()) {
    const bool changed = in.endpoints && answer.object && answer.object.meta().resource_version != in.endpoints.meta().resource_version;
    if (changed) log.once(replaced);
    return Status();
  }
  if (!in.endpoints && namespace_terminating(answer)) return Status();
  if (in.endpoints)
    log.event(fresh, "Warning", "FailedToUpdateEndpoint", str_cat("Failed to update endpoint ", key, ": ", answer.status.message()));
  else
    log.event(fresh, "Warning", "FailedToCreateEndpoint",
              str_cat("Failed to create endpoint for service ", key, ": ", answer.status.message()));
  return answer.status;
}

EndpointsController::EndpointsController(const Env& env, const EndpointsOptions& options)
    : Reconciler(env, "endpoint-controller", options) {
  add_informer({&kind_of<corev1::Service>(), {}, {}, {}}, {index_by_namespace});
  add_informer({&kind_of<corev1::Pod>(), {}, {}, {}}, {index_by_namespace});
  add_informer({&kind_of<corev1::Endpoints>(), {}, {}, {}});
}

// Endpoints that have lost their Service while nobody watched are found at the start.
void EndpointsController::on_change(const Ctx&, size_t number, const Change& change) {
  const Str key = api::object_key(change.newest().meta());
  if (number == kServices) return enqueue(key);
  if (number == kPods) {
    for (const Str& service : services_of_change(change, informer(kServices), kNamespaces)) enqueue(service);
    return;
  }
  const bool elects = change.newest().meta().annotations.contains(kLeaderElection);
  if (!change.after || (!all_synced() && !elects)) enqueue(key);
}

EndpointsInputs EndpointsController::gather(const Ctx&, const Str& key) {
  EndpointsInputs in;
  const size_t slash = key.view().find('/');
  in.ns = Str(key.view().substr(0, slash));
  in.name = Str(key.view().substr(slash + 1));
  const api::Object* service = informer(kServices).find(in.ns, in.name);
  const api::Object* endpoints = informer(kEndpoints).find(in.ns, in.name);
  if (endpoints) in.endpoints = *endpoints;
  if (!service) {
    triggers_.forget(key);
    replaced_.erase(key);
    return in;
  }
  in.service = *service;
  const auto& spec = *service->get<corev1::Service>().spec;
  if (spec.type == "ExternalName" || spec.selector.is_nil()) return in;
  in.pods = pods_of(service->get<corev1::Service>(), informer(kPods), kNamespaces);
  in.trigger = triggers_.next(key, service->get<corev1::Service>(), in.pods);
  const auto replaced = replaced_.find(key);
  in.stale = endpoints && replaced != replaced_.end() && replaced->second == endpoints->meta().resource_version;
  return in;
}

Status EndpointsController::sync(const EndpointsInputs& in, WriteLog& log) {
  return sync_endpoints(in, log, [&] { replaced_[api::object_key(in.ns, in.name)] = in.endpoints.meta().resource_version; });
}

}  // namespace orrery::control
