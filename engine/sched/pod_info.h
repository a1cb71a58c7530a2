#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/node_affinity.h"
#include "engine/api/object.h"
#include "engine/base/str.h"

namespace orrery::sched {

/// Dense ids of extended resource names, for one scheduler.
class ResourceIds {
 public:
  uint32_t id(const Str& name);
  /// UINT32_MAX if it has never been seen.
  uint32_t find(const Str& name) const;
  const Str& name(uint32_t id) const { return names_[id]; }

 private:
  std::vector<Str> names_;
};

/// True for what the scheduler counts as a scalar resource: extended resources, hugepages and
/// attachable volumes.
bool is_scalar_resource(std::string_view name);

/// Amounts in the scheduler's units: thousandths of a CPU, bytes, pieces.
struct Resources {
  int64_t milli_cpu = 0;
  int64_t memory = 0;
  int64_t ephemeral_storage = 0;
  std::vector<std::pair<uint32_t, int64_t>> scalars;  // ascending by id
  int64_t scalar(uint32_t id) const;
  void set_scalar(uint32_t id, int64_t amount);
};
Resources resources_of(const Map<api::Quantity>& list, ResourceIds& ids);

struct HostPort {
  Str ip, protocol;
  int32_t port;
};

/// What plugins have computed about a class of pods once and for all.
struct PluginData {
  virtual ~PluginData() = default;
};

/// Everything about a pod that can influence where it may go and how well: shared by all pods that
/// are equal in it (a *class*). Immutable once made.
struct PodClass {
  uint32_t id = 0;
  uint64_t hash = 0;
  corev1::PodSpec spec;      // of the first pod seen
  Map<Str> labels;
  Map<Str> annotations;
  Str ns;
  Resources request;         // what Filter counts
  int64_t nonzero_cpu = 0;   // what scores count
  int64_t nonzero_memory = 0;
  std::vector<HostPort> host_ports;
  int32_t priority = 0;
  /// By plugin index of the framework.
  std::vector<std::shared_ptr<const PluginData>> data;
};

/// One pod to be scheduled.
struct PodInfo {
  api::Object object;
  std::shared_ptr<const PodClass> cls;
  const corev1::Pod& pod() const { return object.get<corev1::Pod>(); }
};

/// Recognises pods of the same class. Equality is by value; pods made from one template share the
/// parts of their spec, which makes it a look-up by addresses (an accelerator only: results do not
/// depend on it).
class PodClasses {
 public:
  /// The class of `pod`; `prepare` fills in a new one's plugin data.
  template <typename Prepare>
  std::shared_ptr<const PodClass> of(const corev1::Pod& pod, ResourceIds& ids, Prepare prepare) {
    if (auto known = find(pod)) return known;
    auto made = make(pod, ids);
    prepare(*made);
    return add(pod, std::move(made));
  }
  size_t size() const { return classes_.size(); }

 private:
  using Parts = std::array<const void*, 8>;
  struct Shortcut {
    corev1::Pod keeps_alive;  // so that no address is used again
    std::shared_ptr<const PodClass> cls;
  };
  static Parts parts_of(const corev1::Pod& pod);
  static bool same_class(const PodClass& cls, const corev1::Pod& pod);
  static uint64_t hash_of(const corev1::Pod& pod);
  std::shared_ptr<const PodClass> find(const corev1::Pod& pod);
  std::shared_ptr<PodClass> make(const corev1::Pod& pod, ResourceIds& ids);
  std::shared_ptr<const PodClass> add(const corev1::Pod& pod, std::shared_ptr<PodClass> cls);

  std::unordered_multimap<uint64_t, std::shared_ptr<const PodClass>> classes_;  // by hash
  size_t classes_max_ = 4096;  // before those that no pod uses any more are dropped
  std::vector<std::pair<uint64_t, Shortcut>> shortcuts_;                       // open-addressed by parts
  uint32_t next_id_ = 0;
};

}  // namespace orrery::sched
