#pragma once

#include <cstdint>

namespace orrery {

/// What a process costs its machine.
struct ProcessUsage {
  double cpu_seconds = 0;  // user and system, since it began
  double start_time = 0;   // seconds since 1970
  int64_t resident_bytes = 0;
  int64_t virtual_bytes = 0;
  int64_t open_files = 0;
  int64_t open_files_max = 0;
};

/// Port: what this process costs.
class ProcessStats {
 public:
  virtual ~ProcessStats() = default;
  virtual ProcessUsage usage() const = 0;
};

}  // namespace orrery
