#include "engine/sched/pod_info.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/base/hash.h"

namespace orrery::sched {
namespace {

const Str kCpu = Str::literal("cpu");
const Str kMemory = Str::literal("memory");
const Str kEphemeral = Str::literal("ephemeral-storage");
const Str kPods = Str::literal("pods");

// Enough for the templates of a large cluster; beyond it pods are recognised by value.
constexpr size_t kShortcuts = 1024;

template <typename T>
const void* address(const T& handle) {
  static_assert(sizeof(T) == sizeof(void*));
  const void* p;
  std::memcpy(&p, &handle, sizeof(p));
  return p;
}

}  // namespace

uint32_t ResourceIds::find(const Str& name) const {
  for (size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == name) return static_cast<uint32_t>(i);
  return UINT32_MAX;
}

uint32_t ResourceIds::id(const Str& name) {
  const uint32_t known = find(name);
  if (known != UINT32_MAX) return known;
  names_.push_back(name);
  return static_cast<uint32_t>(names_.size() - 1);
}

// Source: Kubernetes v1.32 pkg/apis/core/v1/helper (IsScalarResourceName).
bool is_scalar_resource(std::string_view name) {
  if (name.starts_with("hugepages-") || name.starts_with("attachable-volumes-")) return true;
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return false;
  if (name.starts_with("requests.")) return false;
  return name.find("kubernetes.io/") == std::string_view::npos || name.starts_with("kubernetes.io/");
}

int64_t Resources::scalar(uint32_t id) const {
  for (const auto& [i, amount] : scalars)
    if (i == id) return amount;
  return 0;
}

void Resources::set_scalar(uint32_t id, int64_t amount) {
  const auto it = std::lower_bound(scalars.begin(), scalars.end(), id, [](const auto& s, uint32_t i) { return s.first < i; });
  if (it != scalars.end() && it->first == id) {
    it->second = amount;
  } else {
    scalars.insert(it, {id, amount});
  }
}

Resources resources_of(const Map<api::Quantity>& list, ResourceIds& ids) {
  Resources r;
  for (const auto& [name, quantity] : list) {
    if (name == kCpu) r.milli_cpu = quantity.milli_value();
    else if (name == kMemory) r.memory = quantity.value();
    else if (name == kEphemeral) r.ephemeral_storage = quantity.value();
    else if (name != kPods && is_scalar_resource(name)) r.set_scalar(ids.id(name), quantity.value());
  }
  return r;
}

PodClasses::Parts PodClasses::parts_of(const corev1::Pod& pod) {
  const auto& spec = *pod.spec;
  return {address(spec.containers), address(spec.init_containers), address(spec.affinity), address(spec.node_selector),
          address(spec.tolerations), address(spec.overhead), address(pod.metadata->labels), address(pod.metadata->annotations)};
}

bool PodClasses::same_class(const PodClass& cls, const corev1::Pod& pod) {
  corev1::PodSpec plain = *pod.spec;
  plain.hostname = Str();
  return cls.priority == plain.priority.value_or(0) && cls.ns == pod.metadata->namespace_ && cls.labels == pod.metadata->labels &&
         cls.annotations == pod.metadata->annotations && api::semantic_equal(cls.spec, plain);
}

uint64_t PodClasses::hash_of(const corev1::Pod& pod) {
  corev1::PodSpec plain = *pod.spec;
  plain.hostname = Str();
  uint64_t h = api::semantic_hash(corev1::PodSpec::descriptor(), &plain);
  h = hash_combine(h, pod.metadata->namespace_.hash());
  for (const auto& map : {pod.metadata->labels, pod.metadata->annotations})
    for (const auto& [key, value] : map) h = hash_combine(h, hash_combine(key.hash(), value.hash()));
  return h;
}

std::shared_ptr<const PodClass> PodClasses::find(const corev1::Pod& pod) {
  const Parts parts = parts_of(pod);
  uint64_t slot = 0;
  for (const void* part : parts) slot = hash_combine(slot, reinterpret_cast<uintptr_t>(part));
  if (!shortcuts_.empty()) {
    const auto& [key, shortcut] = shortcuts_[slot % kShortcuts];
    const bool same_scalars = shortcut.cls && shortcut.cls->priority == pod.spec->priority.value_or(0) &&
                              shortcut.cls->ns == pod.metadata->namespace_ &&
                              shortcut.cls->spec.scheduler_name == pod.spec->scheduler_name &&
                              shortcut.cls->spec.host_network == pod.spec->host_network &&
                              shortcut.cls->spec.node_name == pod.spec->node_name;
    if (same_scalars && parts_of(shortcut.keeps_alive) == parts) return shortcut.cls;
  }
  const uint64_t hash = hash_of(pod);
  const auto [begin, end] = classes_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (!same_class(*it->second, pod)) continue;
    if (shortcuts_.empty()) shortcuts_.resize(kShortcuts);
    shortcuts_[slot % kShortcuts] = {slot, {pod, it->second}};
    return it->second;
  }
  return nullptr;
}

std::shared_ptr<PodClass> PodClasses::make(const corev1::Pod& pod, ResourceIds& ids) {
  auto cls = std::make_shared<PodClass>();
  cls->id = next_id_++;
  cls->hash = hash_of(pod);
  cls->spec = *pod.spec;
  cls->spec.hostname = Str();
  cls->labels = pod.metadata->labels;
  cls->annotations = pod.metadata->annotations;
  cls->ns = pod.metadata->namespace_;
  cls->priority = pod.spec->priority.value_or(0);
  cls->request = resources_of(api::pod_requests(*pod.spec), ids);
  api::pod_nonzero_requests(*pod.spec, &cls->nonzero_cpu, &cls->nonzero_memory);
  const auto ports = [&](const corev1::Container& c) {
    for (const auto& p : c.ports)
      if (p.host_port > 0) cls->host_ports.push_back({p.host_ip.empty() ? Str("0.0.0.0") : p.host_ip, p.protocol.empty() ? Str("TCP") : p.protocol, p.host_port});
  };
  for (const auto& c : pod.spec->containers) ports(c);
  return cls;
}

std::shared_ptr<const PodClass> PodClasses::add(const corev1::Pod&, std::shared_ptr<PodClass> cls) {
  if (classes_.size() >= classes_max_) {
    std::erase_if(classes_, [](const auto& known) { return known.second.use_count() == 1; });
    classes_max_ = std::max(classes_max_, 2 * classes_.size());
  }
  std::shared_ptr<const PodClass> shared = std::move(cls);
  classes_.emplace(shared->hash, shared);
  return shared;
}

}  // namespace orrery::sched
