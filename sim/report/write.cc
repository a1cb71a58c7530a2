// The only files of the simulator that write to disk are this one and the command line.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "sim/report/report.h"

namespace orrery::sim {
namespace {

namespace fs = std::filesystem;

Status write_file(const fs::path& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  bool ok = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int error = errno;
  if (file) ok = std::fclose(file) == 0 && ok;
  if (ok) return Status::ok();
  return Status(Code::kInternal, path.string() + ": cannot be written: " + std::strerror(error));
}

Status fill(const fs::path& folder, const RunResult& result, const Scenario& scenario) {
  ORRERY_TRY(write_file(folder / "summary.json", summary_json(result)));
  ORRERY_TRY(write_file(folder / "timeseries.csv", timeseries_csv(result)));
  ORRERY_TRY(write_file(folder / "pods.csv", pods_csv(result)));
  if (scenario.timeline) ORRERY_TRY(write_file(folder / "timeline.jsonl", result.timeline));
  return write_file(folder / "report.html", report_html(result, scenario));
}

}  // namespace

Status write_report(const RunResult& result, const Scenario& scenario, const std::string& folder) {
  std::error_code error;
  const fs::path target = fs::path(folder).lexically_normal();
  const fs::path clean = target.has_filename() ? target : target.parent_path();
  const fs::path partial = clean.string() + ".partial";
  const bool occupied = fs::exists(clean, error) && !fs::is_empty(clean, error) && !fs::exists(clean / "summary.json", error);
  if (occupied) return bad_request(clean.string() + ": exists and is no report; it is left alone");
  fs::remove_all(partial, error);
  if (!fs::create_directories(partial, error) && error) return bad_request(partial.string() + ": cannot be made: " + error.message());
  const Status written = fill(partial, result, scenario);
  if (!written.is_ok()) {
    fs::remove_all(partial, error);
    return written;
  }
  fs::remove_all(clean, error);
  fs::rename(partial, clean, error);
  if (!error) return Status::ok();
  const std::string why = error.message();
  fs::remove_all(partial, error);
  return bad_request(clean.string() + ": cannot be written: " + why);
}

}  // namespace orrery::sim
