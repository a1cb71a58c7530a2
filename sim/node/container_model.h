#pragma once

#include "engine/ports/container_logs.h"
#include "engine/ports/usage_source.h"

namespace orrery::sim {

/// What simulated containers print and use, told from the status of their pods. A container prints a
/// line when it starts and one when it ends, and uses what it requests as long as it runs.
class ContainerModel final : public ContainerLogs, public UsageSource {
 public:
  Result<std::vector<LogLine>> read(const api::Object& pod, const std::string& container,
                                    bool previous) const override;
  std::vector<ContainerUsage> usage(const api::Object& pod) const override;
};

}  // namespace orrery::sim
