#include "engine/sched/vector_kernels.h"

#include <algorithm>
#include <cmath>

namespace orrery::sched {
namespace {

ORRERY_BODY void insufficient_body(const FreeAmounts& free, int64_t cpu, int64_t memory, uint32_t* __restrict details, size_t n) {
  const int64_t cpu_asked = cpu > 0 ? cpu : INT64_MIN, memory_asked = memory > 0 ? memory : INT64_MIN;
  for (size_t i = 0; i < n; ++i) {
    const int64_t bits = (free.pods[i] < 1 ? 1 : 0) | (cpu_asked > free.cpu[i] ? 2 : 0) | (memory_asked > free.memory[i] ? 4 : 0);
    details[i] = static_cast<uint32_t>(bits);
  }
}
ORRERY_KERNEL(insufficient, (const FreeAmounts& free, int64_t cpu, int64_t memory, uint32_t* __restrict details, size_t n),
              (free, cpu, memory, details, n))

// The score times the weight where the node has the resource, else 0. The divisor of a node that
// has none is 1: no infinity arises.
template <bool kMost>
ORRERY_BODY double one_allocation(double has, double requested, double weight) {
  const double amount = kMost ? (requested < has ? requested : has) : has - (requested < has ? requested : has);
  const double quotient = amount * 100 / (has > 1 ? has : 1);
  const double score = static_cast<double>(static_cast<int32_t>(quotient));
  return score * (has > 0 ? weight : 0.0);
}
template <bool kMost>
ORRERY_BODY void allocation_body(const TwoResources& nodes, const double (&more)[2], const double (&weight)[2], int32_t* __restrict scores,
                                 size_t n) {
  const double* a0 = nodes.allocatable[0];
  const double* a1 = nodes.allocatable[1];
  const double* r0 = nodes.requested[0];
  const double* r1 = nodes.requested[1];
  const double more0 = more[0], more1 = more[1], w0 = weight[0], w1 = weight[1];
  for (size_t i = 0; i < n; ++i) {
    const double sum = one_allocation<kMost>(a0[i], r0[i] + more0, w0) + one_allocation<kMost>(a1[i], r1[i] + more1, w1);
    const double weights = (a0[i] > 0 ? w0 : 0.0) + (a1[i] > 0 ? w1 : 0.0);
    scores[i] = static_cast<int32_t>(sum / (weights > 0 ? weights : 1.0));
  }
}
ORRERY_BODY void least_body(const TwoResources& nodes, const double (&more)[2], const double (&weight)[2], int32_t* __restrict scores, size_t n) {
  allocation_body<false>(nodes, more, weight, scores, n);
}
ORRERY_BODY void most_body(const TwoResources& nodes, const double (&more)[2], const double (&weight)[2], int32_t* __restrict scores, size_t n) {
  allocation_body<true>(nodes, more, weight, scores, n);
}
ORRERY_KERNEL(least, (const TwoResources& nodes, const double (&more)[2], const double (&weight)[2], int32_t* __restrict scores, size_t n),
              (nodes, more, weight, scores, n))
ORRERY_KERNEL(most, (const TwoResources& nodes, const double (&more)[2], const double (&weight)[2], int32_t* __restrict scores, size_t n),
              (nodes, more, weight, scores, n))

ORRERY_BODY void balance_body(const TwoResources& nodes, const double (&more)[2], int32_t* __restrict scores, size_t n) {
  const double* a0 = nodes.allocatable[0];
  const double* a1 = nodes.allocatable[1];
  const double* r0 = nodes.requested[0];
  const double* r1 = nodes.requested[1];
  const double more0 = more[0], more1 = more[1];
  for (size_t i = 0; i < n; ++i) {
    const double q0 = (r0[i] + more0) / (a0[i] > 0 ? a0[i] : 1), q1 = (r1[i] + more1) / (a1[i] > 0 ? a1[i] : 1);
    const double f0 = q0 < 1 ? q0 : 1, f1 = q1 < 1 ? q1 : 1;
    const double deviation = std::fabs((f0 - f1) / 2);
    const double counted = a0[i] > 0 && a1[i] > 0 ? deviation : 0;
    scores[i] = static_cast<int32_t>((1 - counted) * 100.0);
  }
}
ORRERY_KERNEL(balance, (const TwoResources& nodes, const double (&more)[2], int32_t* __restrict scores, size_t n), (nodes, more, scores, n))

ORRERY_BODY void weighted_body(const int32_t* scores, int32_t weight, int32_t* __restrict totals, size_t n) {
  for (size_t i = 0; i < n; ++i) totals[i] += weight * scores[i];
}
ORRERY_KERNEL(weighted, (const int32_t* scores, int32_t weight, int32_t* __restrict totals, size_t n), (scores, weight, totals, n))

ORRERY_BODY void keep_body(const uint8_t* verdicts, uint8_t wanted, int32_t otherwise, int32_t* __restrict totals, size_t n) {
  for (size_t i = 0; i < n; ++i) totals[i] = verdicts[i] == wanted ? totals[i] : otherwise;
}
ORRERY_KERNEL(keep, (const uint8_t* verdicts, uint8_t wanted, int32_t otherwise, int32_t* __restrict totals, size_t n),
              (verdicts, wanted, otherwise, totals, n))

ORRERY_BODY Summary summary_of(const int32_t* values, size_t n, int32_t none) {
  int32_t best = none;
  for (size_t i = 0; i < n; ++i) best = std::max(best, values[i]);
  uint32_t count = 0, others = 0;
  for (size_t i = 0; i < n; ++i) {
    count += values[i] == best;
    others += values[i] != none;
  }
  return {best, count, others};
}
// Most have the size of a whole block.
ORRERY_BODY void summary_body(const int32_t* values, size_t n, int32_t none, Summary* out) {
  constexpr size_t kBlock = 64;
  *out = n == kBlock ? summary_of(values, kBlock, none) : summary_of(values, n, none);
}
ORRERY_KERNEL(summary, (const int32_t* values, size_t n, int32_t none, Summary* out), (values, n, none, out))

}  // namespace

Simd widest_simd() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return Simd::kAvx512;
  if (__builtin_cpu_supports("avx2")) return Simd::kAvx2;
#endif
  return Simd::kBase;
}

void find_insufficient([[maybe_unused]] Simd simd, const FreeAmounts& free, int64_t cpu, int64_t memory, std::span<uint32_t> details) {
  ORRERY_DISPATCH(simd, insufficient, (free, cpu, memory, details.data(), details.size()))
}

void score_allocation([[maybe_unused]] Simd simd, bool most, const TwoResources& nodes, const double (&more)[2], const double (&weight)[2],
                      std::span<int32_t> scores) {
  if (most) {
    ORRERY_DISPATCH(simd, most, (nodes, more, weight, scores.data(), scores.size()))
  }
  ORRERY_DISPATCH(simd, least, (nodes, more, weight, scores.data(), scores.size()))
}

void score_balance([[maybe_unused]] Simd simd, const TwoResources& nodes, const double (&more)[2], std::span<int32_t> scores) {
  ORRERY_DISPATCH(simd, balance, (nodes, more, scores.data(), scores.size()))
}

void add_weighted([[maybe_unused]] Simd simd, std::span<const int32_t> scores, int32_t weight, std::span<int32_t> totals) {
  ORRERY_DISPATCH(simd, weighted, (scores.data(), weight, totals.data(), totals.size()))
}

void keep_where([[maybe_unused]] Simd simd, std::span<const uint8_t> verdicts, uint8_t wanted, int32_t otherwise, std::span<int32_t> totals) {
  ORRERY_DISPATCH(simd, keep, (verdicts.data(), wanted, otherwise, totals.data(), totals.size()))
}

Summary summarize([[maybe_unused]] Simd simd, std::span<const int32_t> values, int32_t none) {
  Summary out;
  const auto run = [&] { ORRERY_DISPATCH(simd, summary, (values.data(), values.size(), none, &out)) };
  run();
  return out;
}

}  // namespace orrery::sched
