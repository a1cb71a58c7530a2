#include "engine/sched/cluster_state.h"

#include <algorithm>

#include "engine/api/pod_resources.h"

namespace orrery::sched {
namespace {

// The log is cut to half when it grows beyond this many entries: readers that far behind start anew.
constexpr size_t kLogMax = 1 << 20;

}  // namespace

Str zone_key(const Map<Str>& labels) {
  const auto pick = [&](std::string_view ga, std::string_view beta) {
    const Str* value = labels.find(beta);
    const Str* newer = labels.find(ga);
    return newer ? *newer : (value ? *value : Str());
  };
  const Str region = pick("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
  const Str zone = pick("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
  if (region.empty() && zone.empty()) return Str();
  return Str(str_cat(region, ":\x01:", zone));
}

Str normalized_image(const Str& name) {
  const size_t slash = name.view().rfind('/');
  const size_t colon = name.view().rfind(':');
  const bool tagged = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return tagged ? name : Str(str_cat(name, ":latest"));
}

ClusterState::ClusterState(const ClusterState& other)
    : ids_(other.ids_), nodes_(other.nodes_), free_cpu_(other.free_cpu_), free_memory_(other.free_memory_),
      free_pods_(other.free_pods_), nonzero_cpu_(other.nonzero_cpu_), nonzero_memory_(other.nonzero_memory_),
      amounts_(other.amounts_), exact_(other.exact_), tainted_(other.tainted_), unschedulable_(other.unschedulable_),
      by_name_(other.by_name_), pods_(other.pods_), images_(other.images_), log_(other.log_),
      log_begin_(other.log_begin_), epoch_(other.epoch_), added_(other.added_), added_order_(other.added_order_),
      order_(other.order_), positions_(other.positions_), order_stale_(other.order_stale_), by_slot_(other.by_slot_) {
  for (const auto& extension : other.extensions_) extensions_.push_back(extension->clone());
}

void ClusterState::add_extension(std::unique_ptr<NodeExtension> extension) { extensions_.push_back(std::move(extension)); }

uint32_t ClusterState::slot_for(const Str& name) {
  const auto [it, inserted] = by_name_.try_emplace(name, static_cast<uint32_t>(nodes_.size()));
  if (inserted) {
    nodes_.emplace_back();
    nodes_.back().name = name;
    for (auto* array : {&free_cpu_, &free_memory_, &free_pods_, &nonzero_cpu_, &nonzero_memory_}) array->push_back(0);
    for (auto* array : {&amounts_.allocatable_cpu, &amounts_.allocatable_memory, &amounts_.requested_cpu, &amounts_.requested_memory,
                        &amounts_.nonzero_cpu, &amounts_.nonzero_memory})
      array->push_back(0);
    added_order_.push_back(0);
    positions_.push_back(UINT32_MAX);
  }
  return it->second;
}

uint32_t ClusterState::find(const Str& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() || !nodes_[it->second].present ? UINT32_MAX : it->second;
}

void ClusterState::touch(uint32_t slot) {
  if (log_.size() >= kLogMax) {
    log_.erase(log_.begin(), log_.begin() + kLogMax / 2);
    log_begin_ += kLogMax / 2;
  }
  log_.push_back(slot);
}

void ClusterState::refresh(uint32_t slot) {
  const Node& n = nodes_[slot];
  free_cpu_[slot] = n.allocatable.milli_cpu - n.requested.milli_cpu;
  free_memory_[slot] = n.allocatable.memory - n.requested.memory;
  free_pods_[slot] = n.allowed_pods - static_cast<int64_t>(n.pods.size());
  const auto set = [&](std::vector<double>& array, int64_t amount) {
    array[slot] = static_cast<double>(amount);
    exact_ = exact_ && amount <= kExactMax && amount >= -kExactMax;
  };
  set(amounts_.allocatable_cpu, n.allocatable.milli_cpu);
  set(amounts_.allocatable_memory, n.allocatable.memory);
  set(amounts_.requested_cpu, n.requested.milli_cpu);
  set(amounts_.requested_memory, n.requested.memory);
  set(amounts_.nonzero_cpu, nonzero_cpu_[slot]);
  set(amounts_.nonzero_memory, nonzero_memory_[slot]);
}

void ClusterState::count_marks(const corev1::Node& node, int sign) {
  tainted_ += node.spec->taints.empty() ? 0 : sign;
  unschedulable_ += node.spec->unschedulable ? sign : 0;
}

void ClusterState::count_images(const corev1::Node& node, int sign) {
  for (const auto& image : node.status->images)
    for (const Str& name : image.names) {
      Image& entry = images_[name];
      entry.nodes += sign;
      if (sign > 0) entry.size = image.size_bytes;
      if (entry.nodes == 0) images_.erase(name);
    }
}

void ClusterState::set_node(const corev1::Node& node) {
  const uint32_t slot = slot_for(node.metadata->name);
  Node& n = nodes_[slot];
  const bool fresh = !n.present;
  const bool images_changed = fresh ? !node.status->images.empty() : !n.object.status->images.same(node.status->images);
  const bool zone_changed = fresh || zone_key(n.object.metadata->labels) != zone_key(node.metadata->labels);
  if (images_changed && !fresh) count_images(n.object, -1);
  if (images_changed) count_images(node, 1);
  count_marks(n.object, -1);
  count_marks(node, 1);
  n.object = node;
  n.allocatable = resources_of(node.status->allocatable, ids_);
  const api::Quantity* pods = node.status->allocatable.find("pods");
  n.allowed_pods = pods ? pods->value() : 0;
  n.present = true;
  if (fresh) added_order_[slot] = ++added_;
  if (zone_changed) order_stale_ = true;
  if (zone_changed || images_changed) ++epoch_;
  refresh(slot);
  for (auto& extension : extensions_) {
    extension->node_set(slot, node);
    if (fresh)
      for (const api::Object& pod : n.pods) extension->pod_added(slot, pod.get<corev1::Pod>());
  }
  touch(slot);
}

void ClusterState::remove_node(const Str& name) {
  const uint32_t slot = find(name);
  if (slot == UINT32_MAX) return;
  Node& n = nodes_[slot];
  count_images(n.object, -1);
  count_marks(n.object, -1);
  n.object = corev1::Node();
  n.allocatable = Resources();
  n.allowed_pods = 0;
  n.present = false;
  order_stale_ = true;
  ++epoch_;
  refresh(slot);
  for (auto& extension : extensions_) extension->node_removed(slot);
  touch(slot);
}

void ClusterState::account(uint32_t slot, const api::Object& object, int sign, const PodClass* cls) {
  const auto& pod = object.get<corev1::Pod>();
  Node& n = nodes_[slot];
  const Resources r = cls ? cls->request : resources_of(api::pod_requests(*pod.spec), ids_);
  n.requested.milli_cpu += sign * r.milli_cpu;
  n.requested.memory += sign * r.memory;
  n.requested.ephemeral_storage += sign * r.ephemeral_storage;
  for (const auto& [id, amount] : r.scalars) n.requested.set_scalar(id, n.requested.scalar(id) + sign * amount);
  int64_t cpu = cls ? cls->nonzero_cpu : 0, memory = cls ? cls->nonzero_memory : 0;
  if (!cls) api::pod_nonzero_requests(*pod.spec, &cpu, &memory);
  nonzero_cpu_[slot] += sign * cpu;
  nonzero_memory_[slot] += sign * memory;
  const auto ports = [&](const corev1::Container& c) {
    for (const auto& p : c.ports) {
      if (p.host_port <= 0) continue;
      const HostPort port{p.host_ip.empty() ? Str("0.0.0.0") : p.host_ip, p.protocol.empty() ? Str("TCP") : p.protocol, p.host_port};
      const auto same = [&](const HostPort& o) { return o.port == port.port && o.ip == port.ip && o.protocol == port.protocol; };
      const auto it = std::find_if(n.used_ports.begin(), n.used_ports.end(), same);
      if (sign > 0) n.used_ports.push_back(port);
      else if (it != n.used_ports.end()) n.used_ports.erase(it);
    }
  };
  // The reference counts the ports of main containers only.
  for (const auto& c : pod.spec->containers) ports(c);
  account_pod(n, object, sign);
  refresh(slot);
  if (n.present)
    for (auto& extension : extensions_) sign > 0 ? extension->pod_added(slot, pod) : extension->pod_removed(slot, pod);
  touch(slot);
}

void ClusterState::account_pod(Node& n, const api::Object& object, int sign) {
  const auto& pod = object.get<corev1::Pod>();
  if (sign > 0) {
    n.pods.push_back(object);
  } else {
    const Str& uid = pod.metadata->uid;
    const auto it = std::find_if(n.pods.begin(), n.pods.end(), [&](const api::Object& o) {
      return o.meta().uid == uid && o.meta().name == pod.metadata->name && o.meta().namespace_ == pod.metadata->namespace_;
    });
    if (it != n.pods.end()) n.pods.erase(it);
  }
}

namespace {

// A change of anything else than this moves nothing that is counted here.
bool counts_the_same(const corev1::Pod& a, const corev1::Pod& b) {
  return a.metadata->uid == b.metadata->uid && a.spec->node_name == b.spec->node_name &&
         a.spec->containers.same(b.spec->containers) && a.spec->init_containers.same(b.spec->init_containers) &&
         a.spec->overhead.same(b.spec->overhead) && a.metadata->annotations == b.metadata->annotations &&
         a.metadata->labels == b.metadata->labels;
}

}  // namespace

void ClusterState::set_pod(const api::Object& object, std::shared_ptr<const PodClass> cls) {
  const auto& pod = object.get<corev1::Pod>();
  const Str key = api::object_key(*pod.metadata);
  const auto it = pods_.find(key);
  if (it != pods_.end()) {
    if (counts_the_same(it->second.object.get<corev1::Pod>(), pod)) {
      for (api::Object& placed : nodes_[it->second.slot].pods)
        if (placed.same(it->second.object)) placed = object;
      it->second.object = object;
      return;
    }
    remove_pod(key);
  }
  if (pod.spec->node_name.empty()) return;
  const uint32_t slot = slot_for(pod.spec->node_name);
  account(slot, object, 1, cls.get());
  pods_[key] = {slot, object, std::move(cls)};
}

bool ClusterState::remove_pod(const Str& key) {
  const auto it = pods_.find(key);
  if (it == pods_.end()) return false;
  const PlacedPod placed = it->second;
  pods_.erase(it);
  account(placed.slot, placed.object, -1, placed.cls.get());
  return true;
}

const Str* ClusterState::node_of(const Str& key) const {
  const auto it = pods_.find(key);
  return it == pods_.end() ? nullptr : &nodes_[it->second.slot].name;
}

const std::vector<uint32_t>& ClusterState::order() const {
  if (!order_stale_) return order_;
  order_stale_ = false;
  std::vector<uint32_t> present;
  for (uint32_t slot = 0; slot < nodes_.size(); ++slot)
    if (nodes_[slot].present) present.push_back(slot);
  std::sort(present.begin(), present.end(), [&](uint32_t a, uint32_t b) { return added_order_[a] < added_order_[b]; });
  std::vector<std::pair<Str, std::vector<uint32_t>>> zones;
  std::unordered_map<Str, size_t> index;
  for (uint32_t slot : present) {
    const Str zone = zone_key(nodes_[slot].object.metadata->labels);
    const auto [it, inserted] = index.try_emplace(zone, zones.size());
    if (inserted) zones.push_back({zone, {}});
    zones[it->second].second.push_back(slot);
  }
  order_.clear();
  for (size_t round = 0; order_.size() < present.size(); ++round)
    for (const auto& [zone, slots] : zones)
      if (round < slots.size()) order_.push_back(slots[round]);
  positions_.assign(nodes_.size(), UINT32_MAX);
  by_slot_ = true;
  for (uint32_t i = 0; i < order_.size(); ++i) {
    positions_[order_[i]] = i;
    by_slot_ = by_slot_ && order_[i] == i;
  }
  return order_;
}

const ClusterState::Image* ClusterState::image(const Str& name) const {
  const auto it = images_.find(name);
  return it == images_.end() ? nullptr : &it->second;
}

}  // namespace orrery::sched
