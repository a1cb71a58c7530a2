#pragma once

#include <cstdint>

namespace orrery::sched {

/// Kernels over all nodes run in the widest instructions of the machine, with the same bits in all
/// of them: every operation is exact or rounds once, in a fixed order.
enum class Simd : uint8_t { kBase, kAvx2, kAvx512 };
/// The widest that this machine has.
Simd widest_simd();

}  // namespace orrery::sched

// For sources of kernels: one body (ORRERY_BODY void NAME_body(...)), compiled once for each width by
// ORRERY_KERNEL(NAME, (parameters), (arguments)) and chosen by ORRERY_DISPATCH(simd, NAME, (arguments)).
#define ORRERY_BODY static inline __attribute__((always_inline))
#if defined(__x86_64__)
#if defined(__clang__)  // knows no preferred width
#define ORRERY_AVX512 "avx512f,avx512dq,avx512bw,avx512vl"
#else
#define ORRERY_AVX512 "avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"
#endif
#define ORRERY_KERNEL(name, parameters, arguments)                                         \
  __attribute__((target(ORRERY_AVX512)))                                                 \
  static void name##_avx512 parameters { name##_body arguments; }                          \
  __attribute__((target("avx2"))) static void name##_avx2 parameters { name##_body arguments; } \
  static void name##_base parameters { name##_body arguments; }
#define ORRERY_DISPATCH(simd, name, arguments)           \
  switch (simd) {                                        \
    case ::orrery::sched::Simd::kAvx512: return name##_avx512 arguments;  \
    case ::orrery::sched::Simd::kAvx2: return name##_avx2 arguments;      \
    default: return name##_base arguments;               \
  }
#else
#define ORRERY_KERNEL(name, parameters, arguments) \
  static void name##_base parameters { name##_body arguments; }
#define ORRERY_DISPATCH(simd, name, arguments) return name##_base arguments;
#endif
