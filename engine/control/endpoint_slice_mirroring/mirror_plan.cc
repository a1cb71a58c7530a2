#include "engine/control/endpoint_slice_mirroring/mirror_plan.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "engine/api/ip.h"
#include "engine/control/common/claim.h"
#include "engine/control/endpoint_slices/slice_parts.h"
#include "engine/control/endpoints/endpoint_subsets.h"

namespace orrery::control {
namespace {

using discoveryv1::Endpoint;
using discoveryv1::EndpointPort;
using discoveryv1::EndpointSlice;
using Slices = std::vector<EndpointSlice>;

constexpr std::string_view kSkipMirror = "endpointslice.kubernetes.io/skip-mirror";
constexpr std::string_view kLeader = "control-plane.alpha.kubernetes.io/leader";
constexpr std::string_view kTrigger = "endpoints.kubernetes.io/last-change-trigger-time";
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/// The endpoints wanted of one address family with one set of ports.
struct Wanted {
  List<EndpointPort> ports;
  std::map<std::string, Endpoint> endpoints;  // by endpoint_key
};
using GroupKey = std::pair<Str, std::string>;  // address type and ports_key

List<corev1::EndpointSubset> repacked(const corev1::Endpoints& endpoints) {
  std::vector<OneEndpoint> all;
  for (size_t i = 0; i < endpoints.subsets.size(); ++i) {
    const auto& subset = endpoints.subsets[i];
    const std::vector<corev1::EndpointPort> ports(subset.ports.begin(), subset.ports.end());
    for (const auto& address : subset.addresses) all.push_back({address, ports, true, i});
    for (const auto& address : subset.not_ready_addresses)
      all.push_back({address, ports, false, i});
  }
  return repack(all);
}

List<EndpointPort> slice_ports(const List<corev1::EndpointPort>& ports) {
  List<EndpointPort> out;
  for (const auto& port : ports) {
    EndpointPort one;
    one.name = port.name;
    one.port = port.port;
    one.protocol = port.protocol;
    one.app_protocol = port.app_protocol;
    out.push_back(std::move(one));
  }
  return out;
}

Endpoint slice_endpoint(const corev1::EndpointAddress& address, bool ready) {
  Endpoint endpoint;
  endpoint.addresses.push_back(address.ip);
  endpoint.conditions.ready = ready;
  endpoint.target_ref = address.target_ref;
  endpoint.node_name = address.node_name;
  if (!address.hostname.empty()) endpoint.hostname = address.hostname;
  return endpoint;
}

Map<Str> without(Map<Str> map, std::string_view one, std::string_view other) {
  map.erase(one);
  map.erase(other);
  return map;
}

bool same_pairs(const Map<Str>& a, const Map<Str>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool has_endpoints(const EndpointSlice& slice, const std::map<std::string, Endpoint>& wanted) {
  return slice.endpoints.size() == wanted.size() &&
         std::all_of(slice.endpoints.begin(), slice.endpoints.end(), [&](const Endpoint& endpoint) {
           const auto found = wanted.find(endpoint_key(endpoint));
           return found != wanted.end() && same_state(found->second, endpoint);
         });
}

/// Slices that are to go, by their families, are used for others.
void reuse_removed(Slices& removed, MirrorPlan& plan) {
  std::erase_if(plan.create, [&](EndpointSlice& made) {
    const auto old = std::find_if(removed.begin(), removed.end(), [&](const EndpointSlice& slice) {
      return slice.address_type == made.address_type;
    });
    if (old == removed.end()) return false;
    made.metadata.mut().name = old->metadata->name;
    plan.update.push_back(made);
    removed.erase(old);
    return true;
  });
}

/// One run of plan_mirror.
class Planner {
 public:
  explicit Planner(const MirrorInputs& in) : in_(in) {}

  MirrorPlan plan() {
    for (const auto& subset : repacked(in_.endpoints.get<corev1::Endpoints>())) add(subset);
    std::map<GroupKey, Slices> existing;
    for (const EndpointSlice& slice : in_.slices)
      existing[{slice.address_type, ports_key(slice.ports)}].push_back(slice);
    Slices removed;
    for (auto& [key, wanted] : wanted_) reconcile(key, wanted, existing, removed);
    for (const auto& [key, slices] : existing)
      removed.insert(removed.end(), slices.begin(), slices.end());
    reuse_removed(removed, plan_);
    if (in_.endpoints.meta().deletion_timestamp) plan_.create.clear();
    for (const EndpointSlice& slice : removed) plan_.remove.push_back(slice.metadata->name);
    return std::move(plan_);
  }

 private:
  void add(const corev1::EndpointSubset& subset) {
    const List<EndpointPort> ports = slice_ports(subset.ports);
    size_t added = 0;
    for (const bool ready : {true, false}) {
      for (const auto& address : ready ? subset.addresses : subset.not_ready_addresses) {
        if (added == in_.addresses_max) break;
        const auto ip = api::parse_ip(address.ip);
        if (!ip) {
          ++plan_.invalid;
          continue;
        }
        Wanted& wanted = wanted_[{ip->is_v4 ? "IPv4" : "IPv6", ports_key(ports)}];
        wanted.ports = ports;
        Endpoint endpoint = slice_endpoint(address, ready);
        wanted.endpoints[endpoint_key(endpoint)] = std::move(endpoint);
        ++added;
      }
    }
    plan_.skipped += subset.addresses.size() + subset.not_ready_addresses.size() - added;
  }
  /// The first slice of the group is kept, and written unless it is as it should be.
  void reconcile(const GroupKey& key, Wanted& wanted, std::map<GroupKey, Slices>& existing,
                 Slices& removed) {
    const auto found = existing.find(key);
    if (found == existing.end()) {
      plan_.create.push_back(make_slice(key.first, wanted, {}));
      return;
    }
    const Slices slices = std::move(found->second);
    existing.erase(found);
    removed.insert(removed.end(), slices.begin() + 1, slices.end());
    const EndpointSlice& kept = slices.front();
    const auto& meta = in_.endpoints.meta();
    if (has_endpoints(kept, wanted.endpoints) &&
        same_pairs(meta.labels, without(kept.metadata->labels, kManagedBy, kServiceName)) &&
        same_pairs(without(meta.annotations, kTrigger, kLastApplied), kept.metadata->annotations))
      return;
    plan_.update.push_back(make_slice(key.first, wanted, kept.metadata->name));
  }
  EndpointSlice make_slice(const Str& type, Wanted& wanted, const Str& name) const {
    const auto& from = in_.endpoints.meta();
    EndpointSlice slice;
    auto& meta = slice.metadata.mut();
    meta.namespace_ = from.namespace_;
    meta.labels = from.labels;
    meta.labels.set(kServiceName, from.name);
    meta.labels.set(kManagedBy, Str(kMirroringController));
    meta.annotations = without(from.annotations, kTrigger, kLastApplied);
    meta.owner_references.push_back(controller_reference(in_.endpoints));
    if (name.empty()) {
      meta.generate_name = slice_name_prefix(from.name);
    } else {
      meta.name = name;
    }
    slice.address_type = type;
    slice.ports = wanted.ports;
    for (auto& [key, endpoint] : wanted.endpoints)
      if (slice.endpoints.size() < in_.addresses_max) slice.endpoints.push_back(endpoint);
    return slice;
  }

  const MirrorInputs& in_;
  MirrorPlan plan_;
  std::map<GroupKey, Wanted> wanted_;
};

}  // namespace

bool should_mirror(const api::Object& endpoints) {
  const auto& meta = endpoints.meta();
  return meta.labels.get(kSkipMirror) != "true" && !meta.annotations.contains(kLeader);
}

MirrorPlan plan_mirror(const MirrorInputs& in) {
  if (in.endpoints) return Planner(in).plan();
  MirrorPlan plan;
  for (const EndpointSlice& slice : in.slices) plan.remove.push_back(slice.metadata->name);
  return plan;
}

}  // namespace orrery::control
