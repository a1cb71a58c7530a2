#include "sim/report/report.h"

#include <algorithm>
#include <cstdio>

#include "engine/api/json_value.h"

namespace orrery::sim {
namespace {

constexpr int kSchemaVersion = 1;

api::Json percentiles_json(const Percentiles& p) {
  api::Json out = api::Json::object();
  out.set("count", p.count);
  out.set("mean", p.mean);
  out.set("p50", p.p50);
  out.set("p90", p.p90);
  out.set("p99", p.p99);
  out.set("max", p.max);
  return out;
}

/// Of one resource over the run: the mean and the greatest of the samples, and the last one.
api::Json level_json(const RunResult& r, double Sample::* level) {
  double sum = 0, greatest = 0;
  for (const Sample& s : r.series) {
    sum += s.*level;
    greatest = std::max(greatest, s.*level);
  }
  api::Json out = api::Json::object();
  out.set("meanPct", r.series.empty() ? 0.0 : sum / static_cast<double>(r.series.size()));
  out.set("maxPct", greatest);
  out.set("endPct", r.series.empty() ? 0.0 : r.series.back().*level);
  return out;
}

struct Levels {
  const char* name;
  double Sample::* allocated;
  double Sample::* used;
};
constexpr Levels kLevels[] = {{"cpu", &Sample::cpu_allocated_pct, &Sample::cpu_used_pct},
                              {"memory", &Sample::memory_allocated_pct, &Sample::memory_used_pct},
                              {"gpu", &Sample::gpu_allocated_pct, &Sample::gpu_used_pct}};

// The series again, in at most kPointsMax points: timeseries.csv has all of them.
api::Json over_time_json(const RunResult& r) {
  constexpr size_t kPointsMax = 101;
  std::vector<const Sample*> points;
  const size_t count = std::min(kPointsMax, r.series.size());
  for (size_t i = 0; i < count; ++i) points.push_back(&r.series[count == 1 ? 0 : i * (r.series.size() - 1) / (count - 1)]);
  const auto column = [&](double Sample::* level) {
    api::Json values = api::Json::array();
    for (const Sample* s : points) values.push_back(s->*level);
    return values;
  };
  api::Json out = api::Json::object();
  out.set("seconds", column(&Sample::time));
  for (const Levels& l : kLevels) out.set(std::string(l.name) + "AllocatedPct", column(l.allocated));
  for (const Levels& l : kLevels) out.set(std::string(l.name) + "UsedPct", column(l.used));
  return out;
}

std::string hex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

// Objects on lines of their own, so that a person can read the file and diff it.
std::string pretty(const api::Json& json, const std::string& indent = "") {
  if (!json.is_object() || json.size() == 0) return json.dump();
  std::string out = "{\n";
  for (size_t i = 0; i < json.members().size(); ++i) {
    const auto& m = json.members()[i];
    out += indent + "  ";
    api::append_json_string(out, m.key);
    out += ": " + pretty(m.value, indent + "  ") + (i + 1 < json.members().size() ? ",\n" : "\n");
  }
  return out + indent + "}";
}

std::string number(double v) {
  std::string out;
  api::append_json_double(out, v);
  return out;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string summary_json(const RunResult& r, bool with_cost) {
  api::Json out = api::Json::object();
  out.set("schemaVersion", kSchemaVersion);
  out.set("scenario", r.scenario);
  out.set("seed", r.seed);
  api::Json parameters = api::Json::object();
  for (const auto& [key, value] : r.parameters) parameters.set(key, value);
  out.set("parameters", std::move(parameters));
  out.set("virtualSeconds", r.virtual_seconds);
  api::Json& cluster = out.set("cluster", api::Json::object());
  cluster.set("nodes", r.nodes);
  cluster.set("cpuMilli", r.cpu_milli_capacity);
  cluster.set("memoryBytes", r.memory_capacity);
  cluster.set("gpuMilli", r.gpu_milli_capacity);
  api::Json& pods = out.set("pods", api::Json::object());
  pods.set("submitted", r.pods.submitted);
  pods.set("pending", r.pods.pending);
  pods.set("bound", r.pods.bound);
  pods.set("running", r.pods.running);
  pods.set("succeeded", r.pods.succeeded);
  pods.set("failed", r.pods.failed);
  pods.set("deleted", r.pods.deleted);
  pods.set("dropped", r.pods.dropped);
  out.set("queueWaitSeconds", percentiles_json(r.queue_wait));
  out.set("schedulingSeconds", percentiles_json(r.scheduling));
  out.set("startupSeconds", percentiles_json(r.startup));
  out.set("schedulingAttempts", r.scheduling_attempts);
  const Sample last = r.series.empty() ? Sample() : r.series.back();
  api::Json& allocation = out.set("allocationAtEnd", api::Json::object());
  allocation.set("cpuPct", last.cpu_allocated_pct);
  allocation.set("memoryPct", last.memory_allocated_pct);
  allocation.set("gpuPct", last.gpu_allocated_pct);
  allocation.set("gpuFragmentationPct", last.gpu_fragmentation_pct);
  api::Json& allocated = out.set("allocation", api::Json::object());
  for (const Levels& l : kLevels) allocated.set(l.name, level_json(r, l.allocated));
  api::Json& used = out.set("utilisation", api::Json::object());
  for (const Levels& l : kLevels) used.set(l.name, level_json(r, l.used));
  out.set("overTime", over_time_json(r));
  if (!r.by_arrival.empty()) {
    api::Json& arrival = out.set("gpuByArrivedPct", api::Json::object());
    for (const auto& [percent, bin] : r.by_arrival) {
      api::Json& item = arrival.set(std::to_string(percent), api::Json::object());
      item.set("samples", bin.samples);
      item.set("unallocatedPct", bin.unallocated_pct);
      item.set("fragmentationPct", bin.fragmentation_pct);
      item.set("fragmentationRatePct", bin.fragmentation_rate_pct);
    }
  }
  out.set("eventsExecuted", r.events);
  out.set("objectWrites", r.object_writes);
  out.set("digest", hex(r.digest));
  if (with_cost) {
    api::Json& cost = out.set("cost", api::Json::object());
    cost.set("wallSeconds", r.cost.wall_seconds);
    cost.set("peakMemoryBytes", r.cost.peak_memory_bytes);
  }
  return pretty(out) + "\n";
}

std::string timeseries_csv(const RunResult& r) {
  std::string out = "time_s,pending,bound,running,cpu_allocated_pct,memory_allocated_pct,gpu_allocated_pct,gpu_arrived_pct,gpu_fragmentation_pct,cpu_used_pct,memory_used_pct,gpu_used_pct\n";
  for (const Sample& s : r.series)
    out += number(s.time) + "," + std::to_string(s.pending) + "," + std::to_string(s.bound) + "," + std::to_string(s.running) + "," +
           number(s.cpu_allocated_pct) + "," + number(s.memory_allocated_pct) + "," + number(s.gpu_allocated_pct) + "," +
           number(s.gpu_arrived_pct) + "," + number(s.gpu_fragmentation_pct) + "," + number(s.cpu_used_pct) + "," + number(s.memory_used_pct) +
           "," + number(s.gpu_used_pct) + "\n";
  return out;
}

std::string pods_csv(const RunResult& r) {
  std::string out = "name,node,state,created_s,bound_s,running_s,finished_s,cpu_milli,memory_bytes,gpu_milli\n";
  const auto time = [](double t) { return t < 0 ? std::string() : number(t); };
  for (const PodRow& p : r.rows)
    out += csv_field(p.name) + "," + csv_field(p.node) + "," + p.state + "," + time(p.created) + "," + time(p.bound) + "," + time(p.running) + "," +
           time(p.finished) + "," + std::to_string(p.cpu_milli) + "," + std::to_string(p.memory_bytes) + "," + std::to_string(p.gpu_milli) + "\n";
  return out;
}

std::string summary_table(const RunResult& r) {
  const Sample last = r.series.empty() ? Sample() : r.series.back();
  char text[1600];
  int n = std::snprintf(text, sizeof(text),
      "scenario     %s, seed %llu\n"
      "cluster      %lld nodes, %.0f CPUs, %.0f GiB, %.0f GPUs\n"
      "pods         %lld submitted: %lld running, %lld succeeded, %lld failed, %lld bound, %lld pending, %lld deleted, %lld dropped\n"
      "queue wait   p50 %.3f s, p99 %.3f s, max %.3f s (virtual)\n"
      "scheduling   p50 %.3f s, p99 %.3f s, max %.3f s (virtual)\n"
      "start-up     p50 %.3f s, p99 %.3f s, max %.3f s (virtual)\n"
      "allocated    CPU %.2f %%, memory %.2f %%, GPU %.2f %%\n"
      "used         CPU %.2f %%, memory %.2f %%, GPU %.2f %%\n",
      r.scenario.c_str(), static_cast<unsigned long long>(r.seed), static_cast<long long>(r.nodes), static_cast<double>(r.cpu_milli_capacity) / 1000,
      static_cast<double>(r.memory_capacity) / 1073741824.0, static_cast<double>(r.gpu_milli_capacity) / 1000,
      static_cast<long long>(r.pods.submitted), static_cast<long long>(r.pods.running), static_cast<long long>(r.pods.succeeded),
      static_cast<long long>(r.pods.failed), static_cast<long long>(r.pods.bound), static_cast<long long>(r.pods.pending),
      static_cast<long long>(r.pods.deleted), static_cast<long long>(r.pods.dropped), r.queue_wait.p50, r.queue_wait.p99, r.queue_wait.max, r.scheduling.p50, r.scheduling.p99, r.scheduling.max,
      r.startup.p50, r.startup.p99, r.startup.max, last.cpu_allocated_pct, last.memory_allocated_pct, last.gpu_allocated_pct,
      last.cpu_used_pct, last.memory_used_pct, last.gpu_used_pct);
  std::string out(text, static_cast<size_t>(n));
  if (const auto it = r.by_arrival.find(100); it != r.by_arrival.end()) {
    n = std::snprintf(text, sizeof(text), "GPUs         %.2f %% unallocated when 100 %% of the capacity had been asked for (fragmentation %.2f %%)\n",
                      it->second.unallocated_pct, it->second.fragmentation_pct);
    out.append(text, static_cast<size_t>(n));
  }
  n = std::snprintf(text, sizeof(text), "run          %.0f s of virtual time, %llu events, %llu object writes in %.3f s, %.0f MiB; digest %s\n", r.virtual_seconds,
                    static_cast<unsigned long long>(r.events), static_cast<unsigned long long>(r.object_writes), r.cost.wall_seconds,
                    static_cast<double>(r.cost.peak_memory_bytes) / 1048576.0, hex(r.digest).c_str());
  return out.append(text, static_cast<size_t>(n));
}

std::string measure(const RunResult& r, std::string_view name) {
  const Sample last = r.series.empty() ? Sample() : r.series.back();
  const auto at_100 = r.by_arrival.find(100);
  const ArrivalBin bin = at_100 == r.by_arrival.end() ? ArrivalBin() : at_100->second;
  if (name == "unallocated_gpu_pct_at_100") return bin.samples ? number(bin.unallocated_pct) : "";
  if (name == "fragmentation_gpu_pct_at_100") return bin.samples ? number(bin.fragmentation_pct) : "";
  if (name == "pods_submitted") return std::to_string(r.pods.submitted);
  if (name == "pods_running") return std::to_string(r.pods.running);
  if (name == "pods_pending") return std::to_string(r.pods.pending);
  if (name == "pods_dropped") return std::to_string(r.pods.dropped);
  if (name == "cpu_allocated_pct") return number(last.cpu_allocated_pct);
  if (name == "memory_allocated_pct") return number(last.memory_allocated_pct);
  if (name == "gpu_allocated_pct") return number(last.gpu_allocated_pct);
  if (name == "cpu_used_pct") return number(last.cpu_used_pct);
  if (name == "memory_used_pct") return number(last.memory_used_pct);
  if (name == "gpu_used_pct") return number(last.gpu_used_pct);
  if (name == "queue_wait_p50_s") return number(r.queue_wait.p50);
  if (name == "queue_wait_p99_s") return number(r.queue_wait.p99);
  if (name == "scheduling_p50_s") return number(r.scheduling.p50);
  if (name == "scheduling_p99_s") return number(r.scheduling.p99);
  if (name == "startup_p50_s") return number(r.startup.p50);
  if (name == "startup_p99_s") return number(r.startup.p99);
  if (name == "virtual_s") return number(r.virtual_seconds);
  if (name == "events") return std::to_string(r.events);
  if (name == "object_writes") return std::to_string(r.object_writes);
  return hex(r.digest);
}

}  // namespace orrery::sim
