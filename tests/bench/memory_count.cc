#include "tests/bench/memory_count.h"

#include <malloc.h>

namespace {
thread_local uint64_t allocation_count = 0;
}

// glibc lets a program replace malloc and still reach the original under this name.
extern "C" void* __libc_malloc(size_t size);
extern "C" void* malloc(size_t size) {
  ++allocation_count;
  return __libc_malloc(size);
}

namespace orrery::bench {

uint64_t allocations() { return allocation_count; }

size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace orrery::bench
