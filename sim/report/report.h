#pragma once

#include <string>

#include "engine/base/status.h"
#include "sim/world/run_result.h"
#include "sim/world/scenario.h"

namespace orrery::sim {

/// summary.json, schema version 1 (documented in README.md). `with_cost`: wall time and memory too.
std::string summary_json(const RunResult& result, bool with_cost = true);
std::string timeseries_csv(const RunResult& result);
std::string pods_csv(const RunResult& result);
/// One self-contained page with interactive plots.
std::string report_html(const RunResult& result, const Scenario& scenario);
/// One of result_measures(), as text.
std::string measure(const RunResult& result, std::string_view name);
/// A few lines for a terminal.
std::string summary_table(const RunResult& result);

/// Writes all of them to a new folder beside `folder` and then puts it in its place, so that no
/// folder ever looks complete when it is not. What stood there is replaced if it was a report.
Status write_report(const RunResult& result, const Scenario& scenario, const std::string& folder);

}  // namespace orrery::sim
