// Alibaba cluster-trace-gpu-v2025: instances of a disaggregated recommendation service.
#include "traces/csv.h"
#include "traces/dlrm/dlrm.h"

namespace orrery::traces {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

class DlrmReader final : public WorkloadReader {
 public:
  explicit DlrmReader(CsvReader csv) : csv_(std::move(csv)) {}

  // Empty times: before the trace began, or after it ended.
  Result<bool> next(WorkloadEvent* out) override {
    ORRERY_ASSIGN(const bool more, csv_.next());
    if (!more) return false;
    *out = WorkloadEvent();
    out->name = std::string(csv_.text("instance_sn"));
    if (out->name.empty()) return csv_.error("instance_sn", "must not be empty");
    ORRERY_ASSIGN(const double cpu, csv_.number("cpu_request", 0, 10000));
    ORRERY_ASSIGN(const double memory, csv_.number("memory_request", 0, 1e6));
    ORRERY_ASSIGN(const double gpus, csv_.number("gpu_request", 0, 8));
    out->cpu_milli = static_cast<int64_t>(cpu * 1000);
    out->memory_bytes = static_cast<int64_t>(memory * kGiB);
    out->gpu_count = static_cast<int32_t>(gpus);
    out->gpu_milli = out->gpu_count > 0 ? 1000 : 0;
    double created = 0;
    if (!csv_.text("creation_time").empty()) {
      ORRERY_ASSIGN(created, csv_.number("creation_time", 0, 1e9));
    }
    out->arrival = duration_from_seconds(created);
    if (csv_.text("deletion_time").empty()) return true;
    ORRERY_ASSIGN(const double deleted, csv_.number("deletion_time", 0, 1e9));
    if (deleted < created) return csv_.error("deletion_time", "must not be before creation_time");
    out->lifetime = duration_from_seconds(deleted - created);
    return true;
  }

 private:
  CsvReader csv_;
};

Result<std::unique_ptr<WorkloadReader>> open(const std::string& path) {
  ORRERY_ASSIGN(std::string text, read_file(path));
  ORRERY_ASSIGN(CsvReader csv, CsvReader::open(std::move(text), path, {"instance_sn", "cpu_request", "gpu_request", "memory_request", "creation_time", "deletion_time"}));
  return std::unique_ptr<WorkloadReader>(std::make_unique<DlrmReader>(std::move(csv)));
}

}  // namespace

Format dlrm_format() { return {"alibaba-dlrm-v2025", "Alibaba GPU cluster trace 2025: timed instances of a DLRM service (CSV)", open, nullptr}; }

}  // namespace orrery::traces
