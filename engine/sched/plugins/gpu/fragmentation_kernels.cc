#include "engine/sched/plugins/gpu/fragmentation_kernels.h"

#include <cstring>

namespace orrery::sched {
namespace {

constexpr size_t kGpus = 8;  // of a node, at most

// The compiler's own vectors: one typical pod a lane, and sums that are added up across lanes only at
// the end, always in the same order.
using Lanes = int32_t __attribute__((vector_size(4 * kTypicalWidth)));
using Half = int32_t __attribute__((vector_size(2 * kTypicalWidth)));
using HalfSums = double __attribute__((vector_size(4 * kTypicalWidth)));
struct Sums {
  HalfSums half[2];
};

template <typename Vector>
ORRERY_BODY void load(const void* from, Vector& to) {
  std::memcpy(&to, from, sizeof(to));
}

// What each typical pod cannot use of a GPU (it has too little left), and whether it can use it.
ORRERY_BODY void add_gpu(int32_t free, const Lanes& milli, Lanes& small, Lanes& enough) {
  const Lanes fits = free >= milli;
  enough -= fits;
  small += ~fits & free;
}
ORRERY_BODY void remove_gpu(int32_t free, const Lanes& milli, Lanes& small, Lanes& enough) {
  const Lanes fits = free >= milli;
  enough += fits;
  small -= ~fits & free;
}

ORRERY_BODY void add_up(const TypicalView& t, size_t first, int32_t cpu, int32_t idle, const Lanes& small, const Lanes& enough, Sums& sums) {
  Lanes asked_cpu, asked_count;
  load(t.cpu + first, asked_cpu);
  load(t.count + first, asked_count);
  const Lanes usable = (cpu >= asked_cpu) & (enough >= asked_count);
  const Lanes lost = (usable & small) | (~usable & idle);
  const auto* halves = reinterpret_cast<const char*>(&lost);
  for (size_t h = 0; h < 2; ++h) {
    Half half;
    HalfSums weight;
    load(halves + h * sizeof(half), half);
    load(t.weight + first + h * kTypicalWidth / 2, weight);
    sums.half[h] += weight * __builtin_convertvector(half, HalfSums);
  }
}

ORRERY_BODY double total(const Sums& s) {
  const HalfSums both = s.half[0] + s.half[1];
  return (both[0] + both[1]) + (both[2] + both[3]);
}

ORRERY_BODY void node_body(const TypicalView& t, const GpuNodeView& node, double* out) {
  Sums sums = {};
  for (size_t first = 0; first < t.size; first += kTypicalWidth) {
    Lanes milli, small = {}, enough = {};
    load(t.milli + first, milli);
    for (uint32_t g = 0; g < node.count; ++g) add_gpu(node.free[g], milli, small, enough);
    add_up(t, first, node.cpu, node.idle, small, enough, sums);
  }
  *out = total(sums);
}
ORRERY_KERNEL(node, (const TypicalView& t, const GpuNodeView& node, double* out), (t, node, out))

// One GPU differs from the node as it is: its part is taken out and put back with less. A GPU as
// full as an earlier one gives the same.
ORRERY_BODY void share_body(const TypicalView& t, const GpuNodeView& node, int32_t milli_taken, double* out) {
  Sums sums[kGpus] = {};
  uint32_t like[kGpus];
  for (uint32_t g = 0; g < node.count; ++g) {
    like[g] = 0;
    while (node.free[like[g]] != node.free[g]) ++like[g];
  }
  for (size_t first = 0; first < t.size; first += kTypicalWidth) {
    Lanes milli, small = {}, enough = {};
    load(t.milli + first, milli);
    for (uint32_t g = 0; g < node.count; ++g) add_gpu(node.free[g], milli, small, enough);
    for (uint32_t g = 0; g < node.count; ++g) {
      if (node.free[g] < milli_taken || like[g] != g) continue;
      Lanes small_after = small, enough_after = enough;
      remove_gpu(node.free[g], milli, small_after, enough_after);
      add_gpu(node.free[g] - milli_taken, milli, small_after, enough_after);
      add_up(t, first, node.cpu, node.idle - milli_taken, small_after, enough_after, sums[g]);
    }
  }
  for (uint32_t g = 0; g < node.count; ++g) out[g] = total(sums[like[g]]);
}
ORRERY_KERNEL(share, (const TypicalView& t, const GpuNodeView& node, int32_t milli, double* out), (t, node, milli, out))

}  // namespace

double fragmentation_of_node([[maybe_unused]] Simd simd, const TypicalView& typical, const GpuNodeView& node) {
  double out = 0;
  const auto run = [&] { ORRERY_DISPATCH(simd, node, (typical, node, &out)) };
  run();
  return out;
}

void fragmentation_after_share([[maybe_unused]] Simd simd, const TypicalView& typical, const GpuNodeView& node, int32_t milli, double* out) {
  ORRERY_DISPATCH(simd, share, (typical, node, milli, out))
}

}  // namespace orrery::sched
