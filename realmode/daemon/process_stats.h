#pragma once

#include "engine/ports/process_stats.h"

namespace orrery::realmode {

/// As Linux tells it in /proc.
class LinuxProcessStats final : public ProcessStats {
 public:
  ProcessUsage usage() const override;
};

}  // namespace orrery::realmode
