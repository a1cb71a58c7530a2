// NodeResourcesFit and NodeResourcesBalancedAllocation.
// Source: Kubernetes v1.32 pkg/scheduler/framework/plugins/noderesources.
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/sched/plugins/entries.h"
#include "engine/sched/vector_kernels.h"

namespace orrery::sched {
namespace {

struct ResourceWeight {
  Str name;
  int64_t weight = 1;
};

enum class Which : uint8_t { kCpu, kMemory, kEphemeral, kScalar };

Which which(const Str& name) {
  if (name == "cpu") return Which::kCpu;
  if (name == "memory") return Which::kMemory;
  return name == "ephemeral-storage" ? Which::kEphemeral : Which::kScalar;
}

struct Amount {
  int64_t allocatable = 0;
  int64_t requested = 0;  // with the pod
};

/// A node's allocatable amount and what would be requested of it with the pod on it; all zero for
/// a scalar resource that the pod does not ask for.
Amount amount_of(const PodClass& cls, const ClusterState& state, uint32_t slot, const Str& name, bool nonzero) {
  const auto& node = state.node(slot);
  switch (which(name)) {
    case Which::kCpu:
      return {node.allocatable.milli_cpu, nonzero ? state.nonzero_cpu(slot) + cls.nonzero_cpu : node.requested.milli_cpu + cls.request.milli_cpu};
    case Which::kMemory:
      return {node.allocatable.memory, nonzero ? state.nonzero_memory(slot) + cls.nonzero_memory : node.requested.memory + cls.request.memory};
    case Which::kEphemeral:
      return {node.allocatable.ephemeral_storage, node.requested.ephemeral_storage + cls.request.ephemeral_storage};
    case Which::kScalar: {
      const uint32_t id = state.ids().find(name);
      const int64_t asked = id == UINT32_MAX ? 0 : cls.request.scalar(id);
      if (asked == 0) return {};
      return {node.allocatable.scalar(id), node.requested.scalar(id) + asked};
    }
  }
  return {};
}

enum class Strategy : uint8_t { kLeastAllocated, kMostAllocated, kRequestedToCapacityRatio };

struct ShapePoint {
  int64_t utilization, score;
};

struct FitArgs {
  Strategy strategy = Strategy::kLeastAllocated;
  std::vector<ResourceWeight> resources = {{"cpu", 1}, {"memory", 1}};
  std::vector<ShapePoint> shape;
  std::vector<Str> ignored;
  std::vector<Str> ignored_groups;
};

// Integers throughout, truncating toward zero.
int64_t interpolate(const std::vector<ShapePoint>& shape, int64_t utilization) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (utilization > shape[i].utilization) continue;
    if (i == 0) return shape[0].score;
    return shape[i - 1].score + (shape[i].score - shape[i - 1].score) * (utilization - shape[i - 1].utilization) /
                                    (shape[i].utilization - shape[i - 1].utilization);
  }
  return shape.back().score;
}

/// The weights of CPU and memory if nothing else is scored.
struct CpuAndMemory {
  bool only = true;
  double weight[2] = {0, 0};
  explicit CpuAndMemory(const std::vector<ResourceWeight>& resources) {
    for (const ResourceWeight& r : resources) {
      const Which w = which(r.name);
      only = only && (w == Which::kCpu || w == Which::kMemory) && weight[w == Which::kMemory] == 0;
      if (only) weight[w == Which::kMemory] = static_cast<double>(r.weight);
    }
  }
};

bool is_exact(int64_t a, int64_t b) { return a <= ClusterState::kExactMax && b <= ClusterState::kExactMax; }

class NodeResourcesFit final : public Plugin {
 public:
  explicit NodeResourcesFit(FitArgs args) : args_(std::move(args)), plain_(args_.resources) {}
  std::string_view name() const override { return "NodeResourcesFit"; }
  uint32_t points() const override { return kPreFilter | kFilter | kPreScore | kScore; }

  // Bits: 0 pods, 1 cpu, 2 memory, 3 ephemeral storage, 4.. the pod's scalar resources in order.
  PluginCode filter(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot, uint32_t* detail) const override {
    const Resources& r = cls.request;
    uint32_t bits = state.free_pods()[slot] < 1 ? 1 : 0;
    if (r.milli_cpu > 0 && r.milli_cpu > state.free_cpu()[slot]) bits |= 2;
    if (r.memory > 0 && r.memory > state.free_memory()[slot]) bits |= 4;
    const auto& node = state.node(slot);
    if (r.ephemeral_storage > 0 && r.ephemeral_storage > node.allocatable.ephemeral_storage - node.requested.ephemeral_storage) bits |= 8;
    uint32_t bit = 16;
    for (const auto& [id, amount] : r.scalars) {
      if (amount > 0 && !is_ignored(state.ids().name(id)) && amount > node.allocatable.scalar(id) - node.requested.scalar(id)) bits |= bit;
      bit <<= 1;
    }
    *detail = bits;
    return bits == 0 ? PluginCode::kSuccess : PluginCode::kUnschedulable;
  }
  bool filter_all(const PodClass& cls, const PluginData*, const ClusterState& state, std::span<uint32_t> details) const override {
    const Resources& r = cls.request;
    if (r.ephemeral_storage > 0 || !r.scalars.empty()) return false;
    const FreeAmounts free = {state.free_pods().data(), state.free_cpu().data(), state.free_memory().data()};
    find_insufficient(widest_simd(), free, r.milli_cpu, r.memory, details);
    return true;
  }
  std::vector<std::string> reasons(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t, uint32_t detail) const override {
    std::vector<std::string> out;
    if (detail & 1) out.push_back("Too many pods");
    if (detail & 2) out.push_back("Insufficient cpu");
    if (detail & 4) out.push_back("Insufficient memory");
    if (detail & 8) out.push_back("Insufficient ephemeral-storage");
    uint32_t bit = 16;
    for (const auto& [id, amount] : cls.request.scalars) {
      if (detail & bit) out.push_back(str_cat("Insufficient ", state.ids().name(id)));
      bit <<= 1;
    }
    return out;
  }

  Normalization normalization() const override { return Normalization::kNone; }
  bool score_all(const PodClass& cls, const PluginData*, const ClusterState& state, std::span<int32_t> scores) const override {
    return score_slots(widest_simd(), cls, state, 0, scores);
  }
  int64_t score(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot) const override {
    int32_t plain = 0;
    if (score_slots(Simd::kBase, cls, state, slot, {&plain, 1})) return plain;
    int64_t sum = 0, weights = 0;
    for (const ResourceWeight& r : args_.resources) {
      const Amount a = amount_of(cls, state, slot, r.name, true);
      if (a.allocatable == 0) continue;
      const int64_t s = resource_score(a);
      if (args_.strategy == Strategy::kRequestedToCapacityRatio && s <= 0) continue;
      sum += s * r.weight;
      weights += r.weight;
    }
    if (weights == 0) return 0;
    if (args_.strategy != Strategy::kRequestedToCapacityRatio) return sum / weights;
    return static_cast<int64_t>(std::round(static_cast<double>(sum) / static_cast<double>(weights)));
  }

  bool hint(const corev1::Pod& pod, ClusterEvent event, const api::Object& before, const api::Object& after) const override {
    switch (event) {
      case ClusterEvent::kPodDelete: return before && before.is<corev1::Pod>() && !before.get<corev1::Pod>().spec->node_name.empty();
      case ClusterEvent::kPodUpdate: return after && after.meta().uid == pod.metadata->uid;
      case ClusterEvent::kNodeAdd: return true;
      case ClusterEvent::kNodeUpdate:
        return !before || !before.is<corev1::Node>() ||
               !(before.get<corev1::Node>().status->allocatable == after.get<corev1::Node>().status->allocatable);
      default: return false;
    }
  }

 private:
  bool score_slots(Simd simd, const PodClass& cls, const ClusterState& state, uint32_t first, std::span<int32_t> scores) const {
    if (!plain_.only || args_.strategy == Strategy::kRequestedToCapacityRatio) return false;
    if (!state.exact() || !is_exact(cls.nonzero_cpu, cls.nonzero_memory)) return false;
    const auto& a = state.amounts();
    const TwoResources nodes = {{a.allocatable_cpu.data() + first, a.allocatable_memory.data() + first},
                                {a.nonzero_cpu.data() + first, a.nonzero_memory.data() + first}};
    const double more[2] = {static_cast<double>(cls.nonzero_cpu), static_cast<double>(cls.nonzero_memory)};
    score_allocation(simd, args_.strategy == Strategy::kMostAllocated, nodes, more, plain_.weight, scores);
    return true;
  }
  bool is_ignored(const Str& name) const {
    if (std::find(args_.ignored.begin(), args_.ignored.end(), name) != args_.ignored.end()) return true;
    const std::string_view group = name.view().substr(0, name.view().find('/'));
    return std::any_of(args_.ignored_groups.begin(), args_.ignored_groups.end(), [&](const Str& g) { return g == group; });
  }
  int64_t resource_score(const Amount& a) const {
    switch (args_.strategy) {
      case Strategy::kLeastAllocated: return a.requested > a.allocatable ? 0 : (a.allocatable - a.requested) * 100 / a.allocatable;
      case Strategy::kMostAllocated: return std::min(a.requested, a.allocatable) * 100 / a.allocatable;
      default: return interpolate(args_.shape, a.requested > a.allocatable ? 100 : a.requested * 100 / a.allocatable);
    }
  }

  FitArgs args_;
  CpuAndMemory plain_;
};

Status read_weights(const api::Json& list, const std::string& path, std::vector<ResourceWeight>& out) {
  if (list.is_null()) return Status::ok();
  if (!list.is_array()) return bad_request(path + ": must be a list");
  out.clear();
  size_t i = 0;
  for (const api::Json& item : list.items()) {
    const std::string at = str_cat(path, "[", uint64_t{i++}, "]");
    if (!item["name"].is_string()) return bad_request(at + ".name: must be the name of a resource");
    const int64_t weight = item["weight"].is_int() ? item["weight"].as_int() : 1;
    if (weight < 0 || weight > 100) return bad_request(str_cat(at, ".weight: found ", weight, ", must be in 1..100"));
    out.push_back({item["name"].as_string(), weight == 0 ? 1 : weight});
  }
  return Status::ok();
}

Status read_shape(const api::Json& shape, std::vector<ShapePoint>& out) {
  if (!shape.is_array() || shape.size() == 0)
    return bad_request("args.scoringStrategy.requestedToCapacityRatio.shape: at least one point must be specified");
  for (const api::Json& point : shape.items()) {
    const int64_t utilization = point["utilization"].as_int(), score = point["score"].as_int();
    if (utilization < 0 || utilization > 100 || (!out.empty() && utilization <= out.back().utilization))
      return bad_request("args.scoringStrategy.requestedToCapacityRatio.shape: utilization must rise within 0..100");
    if (score < 0 || score > 10) return bad_request("args.scoringStrategy.requestedToCapacityRatio.shape: score must be in 0..10");
    out.push_back({utilization, score * 10});
  }
  return Status::ok();
}

Status read_strings(const api::Json& list, std::vector<Str>& out) {
  for (const api::Json& item : list.items()) {
    if (!item.is_string()) return bad_request("args: names must be strings");
    out.push_back(item.as_string());
  }
  return Status::ok();
}

Result<std::unique_ptr<Plugin>> make_fit(const api::Json& json) {
  FitArgs args;
  for (const auto& member : json.members()) {
    const Str& k = member.key;
    if (k != "apiVersion" && k != "kind" && k != "ignoredResources" && k != "ignoredResourceGroups" && k != "scoringStrategy")
      return bad_request(str_cat("args.", k, ": unknown field; allowed are ignoredResourceGroups, ignoredResources, scoringStrategy"));
  }
  ORRERY_TRY(read_strings(json["ignoredResources"], args.ignored));
  ORRERY_TRY(read_strings(json["ignoredResourceGroups"], args.ignored_groups));
  const api::Json& strategy = json["scoringStrategy"];
  if (strategy["type"].is_string()) {
    const Str& type = strategy["type"].as_string();
    if (type == "MostAllocated") args.strategy = Strategy::kMostAllocated;
    else if (type == "RequestedToCapacityRatio") args.strategy = Strategy::kRequestedToCapacityRatio;
    else if (type != "LeastAllocated")
      return bad_request(str_cat("args.scoringStrategy.type: found ", api::quoted(type), ", must be LeastAllocated, MostAllocated or RequestedToCapacityRatio"));
  }
  ORRERY_TRY(read_weights(strategy["resources"], "args.scoringStrategy.resources", args.resources));
  if (args.strategy == Strategy::kRequestedToCapacityRatio) ORRERY_TRY(read_shape(strategy["requestedToCapacityRatio"]["shape"], args.shape));
  return std::unique_ptr<Plugin>(std::make_unique<NodeResourcesFit>(std::move(args)));
}

class BalancedAllocation final : public Plugin {
 public:
  explicit BalancedAllocation(std::vector<ResourceWeight> resources) : resources_(std::move(resources)), plain_(resources_) {}
  std::string_view name() const override { return "NodeResourcesBalancedAllocation"; }
  uint32_t points() const override { return kPreScore | kScore; }

  Normalization normalization() const override { return Normalization::kNone; }
  bool score_all(const PodClass& cls, const PluginData*, const ClusterState& state, std::span<int32_t> scores) const override {
    return score_slots(widest_simd(), cls, state, 0, scores);
  }
  int64_t score(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot) const override {
    int32_t plain = 0;
    if (score_slots(Simd::kBase, cls, state, slot, {&plain, 1})) return plain;
    constexpr size_t kMost = 16;
    std::array<double, kMost> fractions;
    size_t n = 0;
    double total = 0;
    for (const ResourceWeight& r : resources_) {
      const Amount a = amount_of(cls, state, slot, r.name, false);
      if (a.allocatable == 0 || n == kMost) continue;
      const double fraction = std::min(1.0, static_cast<double>(a.requested) / static_cast<double>(a.allocatable));
      total += fraction;
      fractions[n++] = fraction;
    }
    double deviation = 0;
    if (n == 2) {
      deviation = std::fabs((fractions[0] - fractions[1]) / 2);
    } else if (n > 2) {
      const double mean = total / static_cast<double>(n);
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += (fractions[i] - mean) * (fractions[i] - mean);
      deviation = std::sqrt(sum / static_cast<double>(n));
    }
    return static_cast<int64_t>((1 - deviation) * 100.0);
  }
  bool hint(const corev1::Pod&, ClusterEvent, const api::Object&, const api::Object&) const override { return false; }

 private:
  bool score_slots(Simd simd, const PodClass& cls, const ClusterState& state, uint32_t first, std::span<int32_t> scores) const {
    if (!plain_.only || resources_.size() != 2) return false;
    if (!state.exact() || !is_exact(cls.request.milli_cpu, cls.request.memory)) return false;
    const auto& a = state.amounts();
    const TwoResources nodes = {{a.allocatable_cpu.data() + first, a.allocatable_memory.data() + first},
                                {a.requested_cpu.data() + first, a.requested_memory.data() + first}};
    const double more[2] = {static_cast<double>(cls.request.milli_cpu), static_cast<double>(cls.request.memory)};
    score_balance(simd, nodes, more, scores);
    return true;
  }

  std::vector<ResourceWeight> resources_;
  CpuAndMemory plain_;
};

Result<std::unique_ptr<Plugin>> make_balanced(const api::Json& json) {
  std::vector<ResourceWeight> resources = {{"cpu", 1}, {"memory", 1}};
  for (const auto& member : json.members())
    if (member.key != "apiVersion" && member.key != "kind" && member.key != "resources")
      return bad_request(str_cat("args.", member.key, ": unknown field; allowed is resources"));
  ORRERY_TRY(read_weights(json["resources"], "args.resources", resources));
  return std::unique_ptr<Plugin>(std::make_unique<BalancedAllocation>(std::move(resources)));
}

}  // namespace

PluginEntry node_resources_fit_entry() { return {"NodeResourcesFit", make_fit, 8, 1}; }
PluginEntry balanced_allocation_entry() { return {"NodeResourcesBalancedAllocation", make_balanced, 16, 1}; }

}  // namespace orrery::sched
