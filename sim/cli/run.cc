#include <cstdio>
#include <memory>

#include "engine/api/json_value.h"
#include "sim/cli/commands.h"
#include "sim/report/report.h"
#include "sim/world/world.h"

namespace orrery::cli {
namespace {

Result<std::shared_ptr<const sim::Scenario>> load(const std::string& path, const std::vector<std::string>& set) {
  std::vector<sim::Override> overrides;
  for (const std::string& text : set) {
    ORRERY_ASSIGN(auto o, sim::parse_override(text));
    overrides.push_back(std::move(o));
  }
  ORRERY_ASSIGN(auto scenario, sim::load_scenario(path, overrides));
  return std::make_shared<const sim::Scenario>(std::move(scenario));
}

std::string elapsed_text(Duration elapsed) {
  char text[40];
  const double s = elapsed.to_seconds();
  if (s < 7200) std::snprintf(text, sizeof(text), "%.0f s of virtual time", s);
  else std::snprintf(text, sizeof(text), "%.1f h of virtual time", s / 3600);
  return text;
}

Status run_one(const std::shared_ptr<const sim::Scenario>& scenario, uint64_t seed, const std::string& out, bool is_last, const RunOptions& options) {
  const double begin = wall_seconds();
  ORRERY_ASSIGN(auto world, sim::World::create(scenario, seed));
  ProgressBar bar(!options.no_progress);
  const bool has_horizon = scenario->horizon < Duration::max();
  auto result = world->run([&](Duration elapsed, double submitted) {
    bar.show(has_horizon ? elapsed.to_seconds() / scenario->horizon.to_seconds() : submitted, elapsed_text(elapsed));
  });
  if (!result.is_ok()) return result.status();
  result->cost.wall_seconds = wall_seconds() - begin;
  result->cost.peak_memory_bytes = peak_memory_bytes();
  if (!out.empty()) ORRERY_TRY(sim::write_report(*result, *scenario, out));
  const std::string text = options.format == "json" ? sim::summary_json(*result) : sim::summary_table(*result);
  std::fwrite(text.data(), 1, text.size(), stdout);
  // Taking a large world apart takes longer than many a run.
  if (is_last) leave_to_process(std::move(world));
  return Status::ok();
}

}  // namespace

Status run(const RunOptions& options) {
  ORRERY_ASSIGN(const auto seeds, parse_seeds(options.seeds));
  ORRERY_ASSIGN(const auto scenario, load(options.scenario, options.set));
  for (uint64_t seed : seeds) {
    std::string out = options.out;
    if (!out.empty() && seeds.size() > 1) out += "/seed-" + std::to_string(seed);
    ORRERY_TRY(run_one(scenario, seed, out, seed == seeds.back(), options));
  }
  return Status::ok();
}

Status validate(const std::string& path, const std::vector<std::string>& set, const std::string& format) {
  ORRERY_ASSIGN(const auto scenario, load(path, set));
  ORRERY_ASSIGN(const auto plan, sim::WorkloadDriver::plan(*scenario, Rng(1)));
  ORRERY_TRY(sim::World::create(scenario, 1).status());
  if (format == "json") {
    api::Json out = api::Json::object();
    out.set("scenario", scenario->name);
    out.set("nodes", static_cast<int64_t>(plan.nodes.size()));
    out.set("pods", static_cast<int64_t>(plan.pods.size()));
    out.set("objects", static_cast<int64_t>(plan.objects.size()));
    std::printf("%s\n", out.dump().c_str());
  } else {
    std::printf("%s: valid: %zu nodes, %zu pods of traces, %zu other objects\n", path.c_str(), plan.nodes.size(), plan.pods.size(), plan.objects.size());
  }
  return Status::ok();
}

namespace {

struct TraceTotals {
  int64_t pods = 0, with_lifetime = 0, cpu_milli = 0, memory_bytes = 0, gpu_milli = 0;
  Duration last;
};

const traces::Format* guess_format(const std::string& path) {
  for (const traces::Format& format : traces::formats()) {
    const auto reader = format.open(path);
    traces::WorkloadEvent event;
    if (reader.is_ok() && (*reader)->next(&event).is_ok()) return &format;
  }
  return nullptr;
}

}  // namespace

Status inspect_trace(const std::string& file, const std::string& format_name, const std::string& output) {
  ORRERY_TRY(traces::read_file(file).status());
  const traces::Format* format = format_name.empty() ? guess_format(file) : traces::find_format(format_name);
  if (!format) {
    std::string names;
    for (const auto& f : traces::formats()) names += (names.empty() ? "" : ", ") + std::string(f.name);
    return bad_request(str_cat(file, ": no known trace format; --format is one of ", names));
  }
  ORRERY_ASSIGN(const auto events, traces::read_workload(*format, file));
  TraceTotals t;
  for (const auto& e : events) {
    ++t.pods;
    t.with_lifetime += e.lifetime.has_value();
    t.cpu_milli += e.cpu_milli;
    t.memory_bytes += e.memory_bytes;
    t.gpu_milli += int64_t{e.gpu_count} * e.gpu_milli;
    t.last = std::max(t.last, e.arrival);
  }
  if (output == "json") {
    api::Json out = api::Json::object();
    out.set("format", format->name);
    out.set("pods", t.pods);
    out.set("podsWithLifetime", t.with_lifetime);
    out.set("cpuMilli", t.cpu_milli);
    out.set("memoryBytes", t.memory_bytes);
    out.set("gpuMilli", t.gpu_milli);
    out.set("lastArrivalSeconds", t.last.to_seconds());
    std::printf("%s\n", out.dump().c_str());
  } else {
    std::printf("format          %s\npods            %lld (%lld with a lifetime)\nrequested       %.1f CPUs, %.1f GiB, %.1f GPUs\nlast arrival    %.0f s\n",
                std::string(format->name).c_str(), static_cast<long long>(t.pods), static_cast<long long>(t.with_lifetime),
                static_cast<double>(t.cpu_milli) / 1000, static_cast<double>(t.memory_bytes) / 1073741824.0, static_cast<double>(t.gpu_milli) / 1000,
                t.last.to_seconds());
  }
  return Status::ok();
}

}  // namespace orrery::cli
