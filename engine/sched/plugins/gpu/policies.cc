// The GPU-sharing family: the GpuShare filter, which keeps the devices, and the placement policies
// of the FGD study. Source of the policies: Weng et al., USENIX ATC 2023, and the scores of the
// authors' published experiment (integers 0..100).
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/hash.h"
#include "engine/sched/plugins/entries.h"
#include "engine/sched/plugins/gpu/fragmentation.h"
#include "engine/sched/plugins/gpu/gpu_devices.h"

namespace orrery::sched {
namespace {

// The largest node of the study, by which sizes are scaled.
constexpr double kCpuScale = 128000;
constexpr double kGpuScale = 8000;

std::shared_ptr<const PluginData> gpu_class(const PodClass& cls) {
  auto data = std::make_shared<GpuClass>();
  data->shape = GpuShape::of(cls.annotations);
  return data;
}
uint64_t hash_of(int64_t free_cpu, const GpuNode& node) {
  uint64_t h = static_cast<uint64_t>(free_cpu);
  for (uint32_t g = 0; g < node.count; ++g) h = h * 0x9e3779b97f4a7c15ULL + static_cast<uint64_t>(node.free[g]);
  return hash_combine(h, node.count);
}
const GpuShape& shape_of(const PluginData* data) { return static_cast<const GpuClass*>(data)->shape; }

/// The devices a pod gets where its policy does not choose: the tightest GPU for a share, the
/// first fully free ones for whole GPUs.
std::vector<int> usual_devices(const GpuNode& node, const GpuShape& shape) {
  std::vector<int> out;
  if (shape.is_share()) {
    out.push_back(node.tightest(shape.milli));
    return out;
  }
  for (uint32_t g = 0; g < node.count && out.size() < static_cast<size_t>(shape.count); ++g)
    if (node.free[g] >= shape.milli) out.push_back(static_cast<int>(g));
  return out;
}

/// Filters by model and devices, and chooses the usual devices.
class GpuShare final : public Plugin {
 public:
  std::string_view name() const override { return "GpuShare"; }
  uint32_t points() const override { return kPreFilter | kFilter | kReserve; }
  std::unique_ptr<NodeExtension> make_extension() const override { return std::make_unique<GpuDevices>(); }
  std::shared_ptr<const PluginData> prepare(const PodClass& cls) const override { return gpu_class(cls); }
  PluginStatus pre_filter(const PodClass&, const PluginData* data, const ClusterState&, CycleState&,
                          std::optional<std::vector<Str>>*) const override {
    return {shape_of(data).count == 0 ? PluginCode::kSkip : PluginCode::kSuccess, {}};
  }
  PluginCode filter(const PodClass&, const PluginData* data, const ClusterState& state, uint32_t slot, uint32_t*) const override {
    return devices(state).node(slot).fits(shape_of(data)) ? PluginCode::kSuccess : PluginCode::kUnschedulable;
  }
  std::vector<std::string> reasons(const PodClass&, const PluginData*, const ClusterState&, uint32_t, uint32_t) const override {
    return {"Insufficient GPU"};
  }
  void reserve(const PodClass&, const PluginData* data, const ClusterState& state, Placement& placement, RngStream&) const override {
    const GpuShape& shape = shape_of(data);
    if (shape.count > 0)
      placement.annotations.set(Str(kGpuIndexKey), gpu_index_text(usual_devices(devices(state).node(placement.slot), shape)));
  }
  bool hint(const corev1::Pod&, ClusterEvent event, const api::Object&, const api::Object&) const override {
    return event != ClusterEvent::kPodAdd && event != ClusterEvent::kPodUpdate;
  }

 private:
  const GpuDevices& devices(const ClusterState& state) const { return static_cast<const GpuDevices&>(*state.extension(extension_)); }
};

/// What all policies share: they look at the devices that GpuShare keeps.
class Policy : public Plugin {
 public:
  uint32_t points() const override { return kScore; }
  std::shared_ptr<const PluginData> prepare(const PodClass& cls) const override { return gpu_class(cls); }
  bool hint(const corev1::Pod&, ClusterEvent, const api::Object&, const api::Object&) const override { return false; }
  Normalization normalization() const override { return Normalization::kNone; }
  int64_t score(const PodClass& cls, const PluginData* data, const ClusterState& state, uint32_t slot) const final {
    const GpuDevices* devices = GpuDevices::of(state);
    return devices ? score_node(cls, shape_of(data), state.free_cpu()[slot], devices->node(slot)) : 0;
  }
  // Many nodes are alike, at least in the beginning: each state is scored once.
  bool score_all(const PodClass& cls, const PluginData* data, const ClusterState& state, std::span<int32_t> scores) const final {
    constexpr size_t kStates = 1024;
    const GpuDevices* devices = GpuDevices::of(state);
    if (!devices) return false;
    const GpuShape& shape = shape_of(data);
    std::vector<uint32_t> known(kStates, UINT32_MAX);  // slots by state; a clash is scored again
    for (uint32_t slot : state.order()) {
      const GpuNode& node = devices->node(slot);
      const int64_t free_cpu = state.free_cpu()[slot];
      if (free_cpu < cls.request.milli_cpu || !node.fits(shape)) continue;
      uint32_t& like = known[hash_of(free_cpu, node) % kStates];
      const bool same = like != UINT32_MAX && state.free_cpu()[like] == free_cpu && devices->node(like) == node;
      scores[slot] = same ? scores[like] : static_cast<int32_t>(score_node(cls, shape, free_cpu, node));
      like = slot;
    }
    return true;
  }
  virtual int64_t score_node(const PodClass& cls, const GpuShape& shape, int64_t free_cpu, const GpuNode& node) const = 0;
};

/// Fragmentation gradient descent: the placement that adds the least fragmentation.
class Fgd final : public Policy {
 public:
  explicit Fgd(std::vector<TypicalPod> typical) : fragmentation_(std::move(typical)) {}
  std::string_view name() const override { return "FGD"; }
  uint32_t points() const override { return kScore | kReserve; }
  int64_t score_node(const PodClass& cls, const GpuShape& shape, int64_t free_cpu, const GpuNode& node) const override {
    int device = -1;
    return best(cls, shape, free_cpu, node, &device);
  }
  void reserve(const PodClass& cls, const PluginData* data, const ClusterState& state, Placement& placement, RngStream&) const override {
    const GpuShape& shape = shape_of(data);
    const GpuDevices* devices = GpuDevices::of(state);
    if (!devices || !shape.is_share()) return;
    int device = -1;
    best(cls, shape, state.free_cpu()[placement.slot], devices->node(placement.slot), &device);
    placement.annotations.set(Str(kGpuIndexKey), gpu_index_text({device}));
  }

 private:
  static int64_t sigmoid(double before, double after) {
    return static_cast<int64_t>(std::floor(100.0 / (1.0 + std::exp(-(before - after) / 1000.0))));
  }
  int64_t best(const PodClass& cls, const GpuShape& shape, int64_t free_cpu, const GpuNode& node, int* device) const {
    const double before = fragmentation_.of_node(free_cpu, node);
    const int64_t cpu_after = free_cpu - cls.request.milli_cpu;
    if (!shape.is_share()) {
      GpuNode after = node;
      int32_t left = shape.count;
      for (uint32_t g = 0; g < node.count && left > 0; ++g)
        if (after.free[g] >= shape.milli) {
          after.free[g] -= shape.milli;
          --left;
        }
      return sigmoid(before, fragmentation_.of_node(cpu_after, after));
    }
    std::array<double, kGpusMax> after;
    fragmentation_.after_share(cpu_after, node, shape.milli, after);
    int64_t most = -1;
    double least = 0;
    for (uint32_t g = 0; g < node.count; ++g) {
      // Only what leaves less fragmentation than the best so far can have a higher score.
      if (node.free[g] < shape.milli || (most >= 0 && after[g] >= least)) continue;
      least = after[g];
      const int64_t s = sigmoid(before, after[g]);
      if (s > most) {
        most = s;
        *device = static_cast<int>(g);
      }
    }
    return most;
  }

  Fragmentation fragmentation_;
};

class BestFit final : public Policy {
 public:
  std::string_view name() const override { return "BestFit"; }
  int64_t score_node(const PodClass& cls, const GpuShape& shape, int64_t free_cpu, const GpuNode& node) const override {
    const double cpu = static_cast<double>(free_cpu - cls.request.milli_cpu) / kCpuScale;
    const double gpu = static_cast<double>(node.total_free() - shape.total_milli()) / kGpuScale;
    return static_cast<int64_t>(std::floor(100.0 * (1.0 - (0.5 * cpu + 0.5 * gpu))));
  }
  Normalization normalization() const override { return Normalization::kMinMax; }
  // In integers; all equal: 0.
  void normalize(std::span<int64_t> scores, RngStream&) const override {
    const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
    const int64_t least = *low, range = *high - *low;
    for (int64_t& s : scores) s = range == 0 ? 0 : (s - least) * 100 / range;
  }
};

class DotProd final : public Policy {
 public:
  std::string_view name() const override { return "DotProd"; }
  int64_t score_node(const PodClass& cls, const GpuShape& shape, int64_t free_cpu, const GpuNode& node) const override {
    const double cpu = static_cast<double>(free_cpu) / kCpuScale * (static_cast<double>(cls.request.milli_cpu) / kCpuScale);
    const double gpu = static_cast<double>(node.total_free()) / kGpuScale * (static_cast<double>(shape.total_milli()) / kGpuScale);
    return static_cast<int64_t>(std::floor(100.0 * (1.0 - 0.5 * (cpu + gpu))));
  }
};

/// Shared GPUs first, then free GPUs of used nodes, then idle nodes.
class GpuPacking final : public Policy {
 public:
  std::string_view name() const override { return "GpuPacking"; }
  int64_t score_node(const PodClass&, const GpuShape& shape, int64_t, const GpuNode& node) const override {
    if (shape.count == 0) return 0;
    const auto free = static_cast<int64_t>(node.fully_free());
    if (free == node.count) return std::max<int64_t>(33 - free, free);
    std::vector<int32_t> fitting;
    for (uint32_t g = 0; g < node.count; ++g)
      if (node.free[g] >= shape.milli) fitting.push_back(node.free[g]);
    std::sort(fitting.begin(), fitting.end());
    fitting.resize(std::min(fitting.size(), static_cast<size_t>(shape.count)));
    const auto whole = static_cast<int64_t>(std::count(fitting.begin(), fitting.end(), kWholeGpu));
    if (whole > 0) return std::max<int64_t>(50 - whole, 33);
    int64_t percents = 0;
    for (int32_t f : fitting) percents += f * 100 / kWholeGpu;
    return std::max<int64_t>(100 - percents / 10, 50);
  }
};

/// Pods of the same size together.
class GpuClustering final : public Policy {
 public:
  std::string_view name() const override { return "GpuClustering"; }
  int64_t score_node(const PodClass&, const GpuShape& shape, int64_t, const GpuNode& node) const override {
    if (shape.count == 0) return 0;
    const int64_t base = 25 * (static_cast<int64_t>(kGpuScale) - node.total_free()) / static_cast<int64_t>(kGpuScale);
    const size_t tag = shape.is_share() ? 0 : static_cast<size_t>(shape.count);
    int64_t tags = 0;
    for (int32_t pods : node.pods_by_tag) tags += pods > 0;
    if (tags == 0) return base + 25;
    if (node.pods_by_tag[tag] == 0) return base;
    return base + (tags == 1 ? 75 : 50);
  }
};

/// One feasible node, and a fitting GPU on it, uniformly.
class GpuRandom final : public Policy {
 public:
  std::string_view name() const override { return "GpuRandom"; }
  uint32_t points() const override { return kScore | kReserve; }
  int64_t score_node(const PodClass&, const GpuShape&, int64_t, const GpuNode&) const override { return 0; }
  bool may_score(const PodClass&, const PluginData*, const ClusterState&) const override { return false; }
  Normalization normalization() const override { return Normalization::kOneAtRandom; }
  void normalize(std::span<int64_t> scores, RngStream& rng) const override { scores[rng.below(scores.size())] = 100; }
  void reserve(const PodClass&, const PluginData* data, const ClusterState& state, Placement& placement, RngStream& rng) const override {
    const GpuShape& shape = shape_of(data);
    const GpuDevices* devices = GpuDevices::of(state);
    if (!devices || !shape.is_share()) return;
    const GpuNode& node = devices->node(placement.slot);
    std::vector<int> fitting;
    for (uint32_t g = 0; g < node.count; ++g)
      if (node.free[g] >= shape.milli) fitting.push_back(static_cast<int>(g));
    placement.annotations.set(Str(kGpuIndexKey), gpu_index_text({fitting[rng.below(fitting.size())]}));
  }
};

Result<std::unique_ptr<Plugin>> make_fgd(const api::Json& args) {
  for (const auto& member : args.members())
    if (member.key != "apiVersion" && member.key != "kind" && member.key != "typicalPods")
      return bad_request(str_cat("args.", member.key, ": unknown field; allowed is typicalPods"));
  std::vector<TypicalPod> typical;
  if (!args["typicalPods"].is_null()) {
    ORRERY_ASSIGN(typical, typical_pods_from_json(args["typicalPods"]));
  }
  return std::unique_ptr<Plugin>(std::make_unique<Fgd>(std::move(typical)));
}

}  // namespace

PluginEntry gpu_share_entry() { return {"GpuShare", make_plain<GpuShare>, 0, 0}; }
PluginEntry gpu_fgd_entry() { return {"FGD", make_fgd, 0, 0}; }
PluginEntry gpu_best_fit_entry() { return {"BestFit", make_plain<BestFit>, 0, 0}; }
PluginEntry gpu_dot_prod_entry() { return {"DotProd", make_plain<DotProd>, 0, 0}; }
PluginEntry gpu_packing_entry() { return {"GpuPacking", make_plain<GpuPacking>, 0, 0}; }
PluginEntry gpu_clustering_entry() { return {"GpuClustering", make_plain<GpuClustering>, 0, 0}; }
PluginEntry gpu_random_entry() { return {"GpuRandom", make_plain<GpuRandom>, 0, 0}; }

}  // namespace orrery::sched
