#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/sched/plugins/gpu/fragmentation_kernels.h"
#include "engine/sched/plugins/gpu/gpu_devices.h"

namespace orrery::sched {

/// A pod shape with how often it occurs.
struct TypicalPod {
  int64_t cpu_milli = 0;
  GpuShape gpu;
  double weight = 0;  // sums to 1 over a set
};

/// The shortest prefix, by popularity, of the distinct shapes of `pods` that covers at least 95 % of
/// them; weights renormalised. Ties: larger cpu, then gpu_milli, number of GPUs, models first.
/// Source: Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with
/// Fragmentation Gradient Descent", USENIX ATC 2023, section 4 (typical pods).
std::vector<TypicalPod> typical_pods(std::span<const TypicalPod> pods);
api::Json typical_pods_to_json(std::span<const TypicalPod> pods);
Result<std::vector<TypicalPod>> typical_pods_from_json(const api::Json& json);

/// F_n(M): how many thousandths of a node's idle GPUs a pod drawn from the typical ones could not
/// use. Source: the same paper, section 4.1.
class Fragmentation {
 public:
  Fragmentation() = default;
  explicit Fragmentation(const std::vector<TypicalPod>& typical);
  double of_node(int64_t free_cpu_milli, const GpuNode& node) const;
  /// of_node() with `milli` taken from one GPU, for each GPU in turn; those with less than `milli`
  /// left are not looked at.
  void after_share(int64_t free_cpu_milli, const GpuNode& node, int32_t milli, std::span<double, kGpusMax> out) const;
  bool empty() const { return weight_.empty(); }
  /// The typical pods as a node with GPUs of `model` sees them.
  TypicalView view(const Str& model) const;

 private:

  // By typical pod, filled up to a multiple of the kernels' width with pods of weight 0.
  std::vector<int32_t> milli_, cpu_;
  std::vector<double> weight_;
  /// Numbers of GPUs, by the GPU models that any of the pods names; then for all other models.
  std::vector<std::pair<Str, std::vector<int32_t>>> count_;
  std::vector<int32_t> count_elsewhere_;
};

}  // namespace orrery::sched
