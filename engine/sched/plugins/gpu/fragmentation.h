#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/api/json_value.h"
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
  explicit Fragmentation(std::vector<TypicalPod> typical);
  double of_node(int64_t free_cpu_milli, const GpuNode& node) const;
  bool empty() const { return typical_.empty(); }

 private:
  std::vector<TypicalPod> typical_;
  std::vector<int32_t> thresholds_;      // distinct gpu_milli, ascending
  std::vector<uint32_t> threshold_of_;   // by typical pod
  bool any_models_ = false;
};

}  // namespace orrery::sched
