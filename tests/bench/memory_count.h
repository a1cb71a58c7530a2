#pragma once

#include <cstddef>
#include <cstdint>

namespace orrery::bench {

/// Heap allocations of this thread so far: the bench binary counts every malloc, and operator new
/// ends there too.
uint64_t allocations();

/// Bytes that the heap has handed out, rounding and bookkeeping included.
size_t heap_bytes();

}  // namespace orrery::bench
