#pragma once

#include <cstdint>
#include <vector>

#include "engine/api/object.h"

namespace orrery {

/// What a container uses.
struct ContainerUsage {
  Str container;
  int64_t cpu_nanos = 0;  // nanoseconds of a core, each second
  int64_t memory_bytes = 0;
};

/// Port: what the containers of this process' own nodes use now, for metrics.k8s.io.
class UsageSource {
 public:
  virtual ~UsageSource() = default;
  /// Of the containers that run; empty: none.
  virtual std::vector<ContainerUsage> usage(const api::Object& pod) const = 0;
};

}  // namespace orrery
