#pragma once

#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/server/print/table.h"

namespace orrery::server {

/// PodMetrics or NodeMetrics as a metrics-server shows them: what is used, of pods by all of their
/// containers. Without rows there are no columns. Source: metrics-server v0.7 pkg/api/table.go.
std::string usage_table(const std::vector<api::Json>& metrics, const TableOptions& options);

}  // namespace orrery::server
