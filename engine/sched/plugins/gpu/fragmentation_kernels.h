#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/sched/simd.h"

namespace orrery::sched {

/// Typical pods are looked at so many at a time; arrays hold a multiple of it.
inline constexpr size_t kTypicalWidth = 8;

/// By typical pod: thousandths of each GPU, number of GPUs (kNever if it asks for none, or may not use
/// the node's model), thousandths of a CPU, and how often it occurs (0 fills up the arrays).
struct TypicalView {
  static constexpr int32_t kNever = INT32_MAX;
  const int32_t *milli, *count, *cpu;
  const double* weight;
  size_t size;
};

/// One node: thousandths left of each GPU, their sum, and of the CPU.
struct GpuNodeView {
  const int32_t* free;
  uint32_t count;
  int32_t idle;
  int32_t cpu;
};

/// See Fragmentation::of_node() and after_share().
double fragmentation_of_node(Simd simd, const TypicalView& typical, const GpuNodeView& node);
void fragmentation_after_share(Simd simd, const TypicalView& typical, const GpuNodeView& node, int32_t milli, double* out);

}  // namespace orrery::sched
