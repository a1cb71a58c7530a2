// Alibaba cluster-trace-gpu-v2023 ("openb"): node and pod lists as CSV.
#include "traces/csv.h"
#include "traces/openb/openb.h"

namespace orrery::traces {
namespace {

constexpr int64_t kMiB = 1024 * 1024;

class OpenbReader final : public WorkloadReader {
 public:
  explicit OpenbReader(CsvReader csv) : csv_(std::move(csv)) {}

  Result<bool> next(WorkloadEvent* out) override {
    ORRERY_ASSIGN(const bool more, csv_.next());
    if (!more) return false;
    *out = WorkloadEvent();
    out->name = std::string(csv_.text("name"));
    if (out->name.empty()) return csv_.error("name", "must not be empty");
    ORRERY_ASSIGN(out->cpu_milli, csv_.integer("cpu_milli", 0, 10'000'000));
    ORRERY_ASSIGN(const int64_t memory, csv_.integer("memory_mib", 0, 1'000'000'000));
    ORRERY_ASSIGN(const int64_t gpus, csv_.integer("num_gpu", 0, 8));
    ORRERY_ASSIGN(const int64_t milli, csv_.integer("gpu_milli", 0, 1000));
    out->memory_bytes = memory * kMiB;
    out->gpu_count = static_cast<int32_t>(gpus);
    out->gpu_milli = static_cast<int32_t>(milli);
    out->gpu_models = std::string(csv_.text("gpu_spec"));
    if (!csv_.has("creation_time")) return true;
    ORRERY_ASSIGN(const int64_t created, csv_.integer("creation_time", 0, 1'000'000'000));
    out->arrival = Duration::seconds(created);
    if (csv_.text("deletion_time").empty()) return true;
    ORRERY_ASSIGN(const int64_t deleted, csv_.integer("deletion_time", created, 1'000'000'000));
    out->lifetime = Duration::seconds(deleted - created);
    return true;
  }

 private:
  CsvReader csv_;
};

Result<std::unique_ptr<WorkloadReader>> open(const std::string& path) {
  ORRERY_ASSIGN(std::string text, read_file(path));
  ORRERY_ASSIGN(CsvReader csv, CsvReader::open(std::move(text), path, {"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"}));
  return std::unique_ptr<WorkloadReader>(std::make_unique<OpenbReader>(std::move(csv)));
}

Result<std::vector<NodeShape>> nodes(const std::string& path) {
  ORRERY_ASSIGN(std::string text, read_file(path));
  ORRERY_ASSIGN(CsvReader csv, CsvReader::open(std::move(text), path, {"sn", "cpu_milli", "memory_mib", "gpu", "model"}));
  std::vector<NodeShape> out;
  for (;;) {
    ORRERY_ASSIGN(const bool more, csv.next());
    if (!more) return out;
    NodeShape node;
    node.name = std::string(csv.text("sn"));
    if (node.name.empty()) return csv.error("sn", "must not be empty");
    ORRERY_ASSIGN(node.cpu_milli, csv.integer("cpu_milli", 0, 10'000'000));
    ORRERY_ASSIGN(const int64_t memory, csv.integer("memory_mib", 0, 1'000'000'000));
    ORRERY_ASSIGN(const int64_t gpus, csv.integer("gpu", 0, 8));
    node.memory_bytes = memory * kMiB;
    node.gpu_count = static_cast<int32_t>(gpus);
    node.gpu_model = std::string(csv.text("model"));
    node.pods = 1001;  // as the authors' node objects
    out.push_back(std::move(node));
  }
}

}  // namespace

Format openb_format() { return {"alibaba-openb", "Alibaba GPU cluster trace 2023: pod list and node list (CSV)", open, nodes}; }

}  // namespace orrery::traces
