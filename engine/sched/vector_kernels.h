#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/sched/simd.h"

namespace orrery::sched {

/// Arithmetic over all nodes at once. Quotients of whole numbers are taken in double and rounded
/// down, which is exact below 2^53.

/// Bits of details[i]: 1 no place for a pod, 2 too little CPU, 4 too little memory. An amount of 0
/// asks for nothing.
struct FreeAmounts {
  const int64_t *pods, *cpu, *memory;
};
void find_insufficient(Simd simd, const FreeAmounts& free, int64_t cpu, int64_t memory, std::span<uint32_t> details);

/// Allocatable and requested amounts of two resources, by node.
struct TwoResources {
  const double *allocatable[2], *requested[2];
};
/// Least (or most) allocated score of what would be requested with `more` on top, weighted; a
/// resource that a node does not have does not count. Amounts are whole numbers up to 2^46.
/// Source: Kubernetes v1.32 noderesources/least_allocated.go, most_allocated.go.
void score_allocation(Simd simd, bool most, const TwoResources& nodes, const double (&more)[2], const double (&weight)[2],
                      std::span<int32_t> scores);
/// Source: Kubernetes v1.32 noderesources/balanced_allocation.go, for two resources.
void score_balance(Simd simd, const TwoResources& nodes, const double (&more)[2], std::span<int32_t> scores);

/// totals[i] += weight * scores[i].
void add_weighted(Simd simd, std::span<const int32_t> scores, int32_t weight, std::span<int32_t> totals);
/// totals[i] = `otherwise` where verdicts[i] is not `wanted`.
void keep_where(Simd simd, std::span<const uint8_t> verdicts, uint8_t wanted, int32_t otherwise, std::span<int32_t> totals);
/// The largest value, how often it occurs, and how many values are not `none`.
struct Summary {
  int32_t best;
  uint32_t count, others;
};
Summary summarize(Simd simd, std::span<const int32_t> values, int32_t none);

}  // namespace orrery::sched
