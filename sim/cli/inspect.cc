// `orrery trace inspect`: what a trace file holds, before a scenario is written for it.
#include <algorithm>
#include <cstdio>

#include "engine/api/json_value.h"
#include "engine/api/names.h"
#include "sim/cli/commands.h"
#include "traces/trace.h"

namespace orrery::cli {
namespace {

const traces::Format* guess_format(const std::string& path) {
  for (const traces::Format& format : traces::formats()) {
    const auto reader = format.open(path);
    traces::WorkloadEvent event;
    if (reader.is_ok() && (*reader)->next(&event).is_ok()) return &format;
    if (format.nodes && format.nodes(path).is_ok()) return &format;
  }
  return nullptr;
}

double percentile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto rank = static_cast<ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<size_t>(rank)];
}

/// "p50 2, p99 8, max 16" of one property over all pods.
struct Spread {
  std::vector<double> values;
  api::Json json() {
    api::Json out = api::Json::object();
    for (const auto& [name, q] : {std::pair("p50", 0.5), std::pair("p99", 0.99), std::pair("max", 1.0)}) out.set(name, percentile(values, q));
    return out;
  }
};

api::Json pods_json(const std::vector<traces::WorkloadEvent>& events) {
  int64_t cpu = 0, memory = 0, gpu = 0, gpu_pods = 0;
  Spread cpu_each, memory_each, lifetime;
  Duration last;
  for (const auto& e : events) {
    cpu += e.cpu_milli;
    memory += e.memory_bytes;
    gpu += int64_t{e.gpu_count} * e.gpu_milli;
    gpu_pods += e.gpu_count > 0;
    cpu_each.values.push_back(static_cast<double>(e.cpu_milli));
    memory_each.values.push_back(static_cast<double>(e.memory_bytes));
    if (e.lifetime) lifetime.values.push_back(e.lifetime->to_seconds());
    last = std::max(last, e.arrival);
  }
  api::Json out = api::Json::object();
  out.set("pods", static_cast<int64_t>(events.size()));
  out.set("podsWithLifetime", static_cast<int64_t>(lifetime.values.size()));
  out.set("podsWithGpu", gpu_pods);
  out.set("cpuMilli", cpu);
  out.set("memoryBytes", memory);
  out.set("gpuMilli", gpu);
  out.set("lastArrivalSeconds", last.to_seconds());
  out.set("cpuMilliEach", cpu_each.json());
  out.set("memoryBytesEach", memory_each.json());
  out.set("lifetimeSeconds", lifetime.json());
  return out;
}

api::Json nodes_json(const std::vector<traces::NodeShape>& nodes) {
  int64_t cpu = 0, memory = 0, gpus = 0;
  for (const auto& n : nodes) {
    cpu += n.cpu_milli;
    memory += n.memory_bytes;
    gpus += n.gpu_count;
  }
  api::Json out = api::Json::object();
  out.set("nodes", static_cast<int64_t>(nodes.size()));
  out.set("cpuMilli", cpu);
  out.set("memoryBytes", memory);
  out.set("gpus", gpus);
  return out;
}

// A list of pods or, in formats that have them, of nodes.
Result<api::Json> about_file(const traces::Format& format, const std::string& file) {
  const auto events = traces::read_workload(format, file);
  if (events.is_ok()) return pods_json(*events);
  if (format.nodes)
    if (const auto nodes = format.nodes(file); nodes.is_ok()) return nodes_json(*nodes);
  return events.status();
}

// "name: value" lines; what is an object stands on one line.
std::string as_table(const api::Json& json) {
  std::string out;
  for (const auto& [key, value] : json.members()) {
    std::string text = value.is_string() ? value.as_string().str() : value.dump();
    if (value.is_object()) {
      text.clear();
      for (const auto& inner : value.members()) text += str_cat(text.empty() ? "" : ", ", inner.key, " ", inner.value.dump());
    }
    char line[200];
    std::snprintf(line, sizeof(line), "%-20s %s\n", key.c_str(), text.c_str());
    out += line;
  }
  return out;
}

}  // namespace

Status inspect_trace(const std::string& file, const std::string& format_name, const std::string& output) {
  ORRERY_TRY(traces::read_file(file).status());
  const traces::Format* format = format_name.empty() ? guess_format(file) : traces::find_format(format_name);
  if (!format) {
    std::vector<std::string> names;
    for (const auto& f : traces::formats()) names.push_back(std::string(f.name));
    return bad_request(str_cat(file, ": no known trace format; --format is one of ", api::join(names, ", ")));
  }
  api::Json out = api::Json::object();
  out.set("format", format->name);
  ORRERY_ASSIGN(const api::Json about, about_file(*format, file));
  for (const auto& [key, value] : about.members()) out.set(key, value);
  return print(output == "json" ? out.dump() + "\n" : as_table(out));
}

}  // namespace orrery::cli
