#include "engine/control/endpoint_slices/slice_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/api/names.h"
#include "engine/api/pod_util.h"
#include "engine/api/semantic.h"
#include "engine/control/endpoint_slices/slice_parts.h"
#include "engine/control/endpoints/service_pods.h"

namespace orrery::control {
namespace {

using discoveryv1::Endpoint;
using discoveryv1::EndpointPort;
using discoveryv1::EndpointSlice;

const Str kHeadless = Str::literal("service.kubernetes.io/headless");
const Str kTrigger = Str::literal("endpoints.kubernetes.io/last-change-trigger-time");

bool is_reserved(const Str& label) { return label == kServiceName || label == kManagedBy || label == kHeadless; }

Map<Str> without_reserved(const Map<Str>& labels) {
  Map<Str> out;
  for (const auto& [key, value] : labels)
    if (!is_reserved(key)) out.set(key, value);
  return out;
}

Map<Str> labels_of(const corev1::Service& service) {
  Map<Str> labels = without_reserved(service.metadata->labels);
  if (!has_cluster_ip(service)) labels.set(kHeadless, Str());
  labels.set(kServiceName, service.metadata->name);
  labels.set(kManagedBy, Str(kSliceController));
  return labels;
}

bool owned_by(const EndpointSlice& slice, const corev1::Service& service) {
  const auto& owners = slice.metadata->owner_references;
  return std::any_of(owners.begin(), owners.end(), [&](const metav1::OwnerReference& owner) {
    return owner.uid == service.metadata->uid && owner.kind == "Service" && owner.api_version == "v1";
  });
}

EndpointSlice empty_slice(const corev1::Service& service, const List<EndpointPort>& ports, const Str& address_type) {
  EndpointSlice slice;
  metav1::ObjectMeta& meta = slice.metadata.mut();
  meta.generate_name = slice_name_prefix(service.metadata->name);
  meta.namespace_ = service.metadata->namespace_;
  meta.labels = labels_of(service);
  metav1::OwnerReference owner;
  owner.api_version = "v1";
  owner.kind = "Service";
  owner.name = service.metadata->name;
  owner.uid = service.metadata->uid;
  owner.controller = owner.block_owner_deletion = true;
  meta.owner_references.push_back(std::move(owner));
  slice.address_type = address_type;
  slice.ports = ports;
  return slice;
}

List<EndpointPort> ports_of(const corev1::Service& service, const corev1::Pod& pod) {
  List<EndpointPort> ports;
  for (const corev1::ServicePort& wanted : service.spec->ports) {
    const auto number = find_port(pod, wanted, false);
    if (!number) continue;
    EndpointPort port;
    port.name = wanted.name;
    port.port = *number;
    port.protocol = wanted.protocol;
    port.app_protocol = wanted.app_protocol;
    ports.push_back(std::move(port));
  }
  return ports;
}

Endpoint endpoint_of(const corev1::Pod& pod, const corev1::Node* node, const corev1::Service& service, bool six) {
  Endpoint endpoint;
  const bool serving = api::is_pod_ready(pod), terminating = static_cast<bool>(pod.metadata->deletion_timestamp);
  endpoint.conditions.serving = serving;
  endpoint.conditions.terminating = terminating;
  endpoint.conditions.ready = service.spec->publish_not_ready_addresses || (serving && !terminating);
  for (const corev1::PodIP& ip : pod.status->pod_ips)
    if (is_ipv6(ip.ip) == six) endpoint.addresses.push_back(ip.ip);
  corev1::ObjectReference& ref = endpoint.target_ref.mut();
  ref.kind = "Pod";
  ref.namespace_ = pod.metadata->namespace_;
  ref.name = pod.metadata->name;
  ref.uid = pod.metadata->uid;
  if (!pod.spec->node_name.empty()) endpoint.node_name = pod.spec->node_name;
  const Str zone = node ? node->metadata->labels.get("topology.kubernetes.io/zone") : Str();
  if (!zone.empty()) endpoint.zone = zone;
  if (has_own_name(pod, service)) endpoint.hostname = pod.spec->hostname;
  return endpoint;
}

/// The endpoints that are wanted with one set of ports.
struct Wanted {
  List<EndpointPort> ports;
  std::map<std::string, Endpoint> endpoints;  // by endpoint_key
};

/// The slices of one address family and one set of ports.
class PortSlices {
 public:
  PortSlices(const SliceInputs& in, Str address_type) : in_(in), service_(in.service.get<corev1::Service>()), type_(std::move(address_type)) {}

  void reconcile(Slices existing, Wanted wanted, SliceChanges& out) {
    wanted_ = std::move(wanted);
    for (EndpointSlice& slice : existing) sort_out(std::move(slice), out);
    fill_changed();
    while (!wanted_.endpoints.empty()) place_rest(out);
    for (EndpointSlice& slice : changed_) out.update.push_back(std::move(slice));
    for (EndpointSlice& slice : unchanged_) out.unchanged.push_back(std::move(slice));
  }

 private:
  // Keeps what is still wanted of a slice.
  void sort_out(EndpointSlice slice, SliceChanges& out) {
    bool changed = false;
    List<Endpoint> kept;
    for (const Endpoint& endpoint : slice.endpoints) {
      const auto found = wanted_.endpoints.find(endpoint_key(endpoint));
      if (found == wanted_.endpoints.end()) continue;
      changed = changed || !same_state(found->second, endpoint);
      kept.push_back(std::move(found->second));
      wanted_.endpoints.erase(found);
    }
    const bool relabelled = !(without_reserved(slice.metadata->labels) == without_reserved(service_.metadata->labels));
    if (changed || kept.size() != slice.endpoints.size()) {
      if (kept.empty()) return out.remove.push_back(std::move(slice));
      slice.endpoints = std::move(kept);
    } else if (!relabelled) {
      return unchanged_.push_back(std::move(slice));
    }
    slice.metadata.mut().labels = labels_of(service_);
    changed_.push_back(std::move(slice));
  }
  void fill(EndpointSlice& slice) {
    while (!wanted_.endpoints.empty() && slice.endpoints.size() < in_.endpoints_max) {
      slice.endpoints.push_back(std::move(wanted_.endpoints.begin()->second));
      wanted_.endpoints.erase(wanted_.endpoints.begin());
    }
  }
  // The fullest first.
  void fill_changed() {
    std::stable_sort(changed_.begin(), changed_.end(),
                     [](const EndpointSlice& a, const EndpointSlice& b) { return a.endpoints.size() > b.endpoints.size(); });
    for (EndpointSlice& slice : changed_) fill(slice);
  }
  // All in one slice that is not touched yet, if they fit, or as many as go into a new one.
  void place_rest(SliceChanges& out) {
    const size_t count = wanted_.endpoints.size();
    auto best = unchanged_.end();
    size_t best_room = in_.endpoints_max;
    for (auto it = unchanged_.begin(); count < in_.endpoints_max && it != unchanged_.end(); ++it) {
      const size_t filled = count + it->endpoints.size();
      if (filled > in_.endpoints_max || in_.endpoints_max - filled >= best_room) continue;
      best = it;
      best_room = in_.endpoints_max - filled;
    }
    if (best == unchanged_.end()) {
      out.create.push_back(empty_slice(service_, wanted_.ports, type_));
      return fill(out.create.back());
    }
    fill(*best);
    changed_.push_back(std::move(*best));
    unchanged_.erase(best);
  }

  const SliceInputs& in_;
  const corev1::Service& service_;
  Str type_;
  Wanted wanted_;
  Slices changed_, unchanged_;
};

std::map<std::string, Wanted> wanted_endpoints(const SliceInputs& in, bool six, std::vector<std::string>& errors) {
  const auto& service = in.service.get<corev1::Service>();
  std::map<std::string, Wanted> all;
  for (const api::Object& object : in.pods) {
    const auto& pod = object.get<corev1::Pod>();
    if (!has_endpoint(pod, true)) continue;
    const List<EndpointPort> ports = ports_of(service, pod);
    Wanted& wanted = all[ports_key(ports)];
    if (wanted.endpoints.empty()) wanted.ports = ports;
    const auto node = std::find_if(in.nodes.begin(), in.nodes.end(), [&](const api::Object& n) { return n.meta().name == pod.spec->node_name; });
    if (node == in.nodes.end() && !service.spec->publish_not_ready_addresses) {
      errors.push_back(str_cat("skipping Pod ", pod.metadata->name, " for Service ", service.metadata->namespace_, "/",
                               service.metadata->name, ": Node ", pod.spec->node_name, " Not Found"));
      continue;
    }
    Endpoint endpoint = endpoint_of(pod, node == in.nodes.end() ? nullptr : &node->get<corev1::Node>(), service, six);
    if (!endpoint.addresses.empty()) wanted.endpoints[endpoint_key(endpoint)] = std::move(endpoint);
  }
  return all;
}

// Without endpoints there is one slice that says so.
void keep_placeholder(const SliceInputs& in, const Str& type, size_t existing, SliceChanges& changes) {
  if (existing != changes.remove.size() || !changes.create.empty()) return;
  EndpointSlice placeholder = empty_slice(in.service.get<corev1::Service>(), {}, type);
  const auto is_one = [&](const EndpointSlice& slice) {
    return slice.metadata->namespace_ == placeholder.metadata->namespace_ && slice.metadata->labels == placeholder.metadata->labels &&
           slice.ports.empty() && slice.endpoints.empty() && slice.address_type == type;
  };
  if (changes.remove.size() == 1 && is_one(changes.remove[0])) {
    changes.unchanged.push_back(std::move(changes.remove[0]));
    changes.remove.clear();
  } else {
    changes.create.push_back(std::move(placeholder));
  }
}

void add_hints(const SliceInputs& in, const Str& type, SliceChanges& changes, SlicePlan& plan) {
  const auto& service = in.service.get<corev1::Service>();
  if (wants_topology_hints(service)) {
    plan.hints = add_topology_hints(changes, in.shares, type, in.had_hints, plan.events);
    return;
  }
  if (in.had_hints)
    plan.events.push_back({"Warning", "TopologyAwareHintsDisabled", str_cat("Topology Aware Hints has been disabled, addressType: ", type)});
  plan.hints = std::nullopt;
  if (service.spec->traffic_distribution.value_or(Str()) == "PreferClose") return add_close_hints(changes);
  remove_hints(changes);
}

// A slice that would be made takes the place of one that would be deleted.
void replace_removed(const corev1::Service& service, SliceChanges& changes) {
  for (size_t i = 0; i < changes.remove.size() && !changes.create.empty();) {
    EndpointSlice& fresh = changes.create.back();
    if (changes.remove[i].address_type != fresh.address_type || !owned_by(changes.remove[i], service)) {
      ++i;
      continue;
    }
    fresh.metadata.mut().name = changes.remove[i].metadata->name;
    changes.update.push_back(std::move(fresh));
    changes.create.pop_back();
    changes.remove.erase(changes.remove.begin() + static_cast<ptrdiff_t>(i));
  }
}

void plan_family(const SliceInputs& in, const Str& type, const Slices& existing, SlicePlan& plan) {
  const auto& service = in.service.get<corev1::Service>();
  SliceChanges changes;
  std::map<std::string, Slices> by_ports;
  for (const EndpointSlice& slice : existing) {
    if (owned_by(slice, service)) by_ports[ports_key(slice.ports)].push_back(slice);
    else changes.remove.push_back(slice);
  }
  for (auto& [ports, wanted] : wanted_endpoints(in, type == "IPv6", plan.errors)) {
    PortSlices(in, type).reconcile(std::exchange(by_ports[ports], {}), std::move(wanted), changes);
    by_ports.erase(ports);
  }
  for (auto& [ports, slices] : by_ports) changes.remove.insert(changes.remove.end(), slices.begin(), slices.end());
  keep_placeholder(in, type, existing.size(), changes);
  add_hints(in, type, changes, plan);
  replace_removed(service, changes);
  if (service.metadata->deletion_timestamp) changes.create.clear();
  for (Slices* slices : {&changes.create, &changes.update}) {
    for (EndpointSlice& slice : *slices) {
      if (in.trigger) slice.metadata.mut().annotations.set(kTrigger, Str(api::format_time_nano(api::Timestamp(*in.trigger))));
      else if (slice.metadata->annotations.contains(kTrigger)) slice.metadata.mut().annotations.erase(kTrigger);
    }
  }
  plan.create.insert(plan.create.end(), changes.create.begin(), changes.create.end());
  plan.update.insert(plan.update.end(), changes.update.begin(), changes.update.end());
  for (const EndpointSlice& slice : changes.remove) plan.remove.push_back(slice.metadata->name);
}

std::vector<Str> address_types(const corev1::Service& service) {
  std::vector<Str> types;
  for (const Str& family : service.spec->ip_families)
    if (family == "IPv4" || family == "IPv6") types.push_back(family);
  if (!types.empty()) return types;
  if (has_cluster_ip(service)) return {is_ipv6(service.spec->cluster_ip) ? Str("IPv6") : Str("IPv4")};
  return {Str("IPv4"), Str("IPv6")};
}

}  // namespace

SlicePlan plan_slices(const SliceInputs& in) {
  SlicePlan plan;
  const std::vector<Str> types = address_types(in.service.get<corev1::Service>());
  for (const Str& type : types) {
    Slices existing;
    std::copy_if(in.slices.begin(), in.slices.end(), std::back_inserter(existing), [&](const EndpointSlice& s) { return s.address_type == type; });
    plan_family(in, type, existing, plan);
  }
  for (const EndpointSlice& slice : in.slices)
    if (std::find(types.begin(), types.end(), slice.address_type) == types.end()) plan.remove.push_back(slice.metadata->name);
  return plan;
}

}  // namespace orrery::control
