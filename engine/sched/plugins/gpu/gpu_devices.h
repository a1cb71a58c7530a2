#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/sched/plugin.h"

namespace orrery::sched {

/// Names by which nodes offer GPUs and pods ask for them (Alibaba's gpushare convention).
inline constexpr std::string_view kGpuCountKey = "alibabacloud.com/gpu-count";      // node resource, pod annotation
inline constexpr std::string_view kGpuMilliKey = "alibabacloud.com/gpu-milli";      // node resource; pod: per GPU
inline constexpr std::string_view kGpuModelKey = "alibabacloud.com/gpu-card-model"; // node label; pod: "A|B"
inline constexpr std::string_view kGpuIndexKey = "alibabacloud.com/gpu-index";      // on a placed pod: "0-1-2"

inline constexpr int32_t kWholeGpu = 1000;
inline constexpr size_t kGpusMax = 8;

/// What a pod asks of GPUs: `count` of them, `milli` thousandths of each.
struct GpuShape {
  int32_t count = 0;
  int32_t milli = 0;
  std::vector<Str> models;  // empty: any
  bool is_share() const { return count == 1 && milli < kWholeGpu; }
  int64_t total_milli() const { return int64_t{count} * milli; }
  bool allows(const Str& model) const;
  static GpuShape of(const Map<Str>& annotations);
};

/// The GPUs of one node.
struct GpuNode {
  Str model;
  uint32_t count = 0;
  std::array<int32_t, kGpusMax> free{};            // thousandths left of each
  std::array<int32_t, kGpusMax + 1> pods_by_tag{}; // 0: sharing pods, k: pods of k whole GPUs
  int64_t total_free() const;
  uint32_t fully_free() const;
  /// GPUs with at least `milli` left.
  uint32_t fitting(int32_t milli) const;
  bool fits(const GpuShape& shape) const;
  bool operator==(const GpuNode&) const = default;
  /// The fitting GPU with the least left (lowest index among equals), -1 if none.
  int tightest(int32_t milli) const;
};

/// Device-level GPU state of all nodes.
class GpuDevices final : public NodeExtension {
 public:
  std::unique_ptr<NodeExtension> clone() const override { return std::make_unique<GpuDevices>(*this); }
  void node_set(uint32_t slot, const corev1::Node& node) override;
  void node_removed(uint32_t slot) override;
  void pod_added(uint32_t slot, const corev1::Pod& pod) override { account(slot, pod, -1); }
  void pod_removed(uint32_t slot, const corev1::Pod& pod) override { account(slot, pod, 1); }
  const GpuNode& node(uint32_t slot) const { return slot < nodes_.size() ? nodes_[slot] : kNone; }
  const void* tag() const override { return &kNone; }

  /// The cluster state's GPU devices; nullptr if no GPU plugin is in use.
  static const GpuDevices* of(const ClusterState& state);

 private:
  static const GpuNode kNone;
  void account(uint32_t slot, const corev1::Pod& pod, int32_t sign);
  std::vector<GpuNode> nodes_;
};

struct GpuClass final : PluginData {
  GpuShape shape;
};

/// "0-1-2" of a set of GPU indexes.
Str gpu_index_text(const std::vector<int>& indexes);

}  // namespace orrery::sched
