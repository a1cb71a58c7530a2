#include <cstdio>
#include <memory>

#include "engine/api/json_value.h"
#include "sim/cli/commands.h"
#include "sim/report/report.h"
#include "sim/world/seeds.h"
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
  ORRERY_TRY(print(text));
  // Taking a large world apart takes longer than many a run.
  if (is_last) leave_to_process(std::move(world));
  return Status::ok();
}

}  // namespace

Status run(const RunOptions& options) {
  give_freed_memory_back();
  ORRERY_ASSIGN(const auto scenario, load(options.scenario, options.set));
  std::vector<uint64_t> seeds = scenario->seeds;
  if (!options.seeds.empty()) {
    auto given = sim::parse_seeds(options.seeds);
    if (!given.is_ok()) return given.status().with_context("--seeds");
    seeds = std::move(*given);
  }
  for (uint64_t seed : seeds) {
    std::string out = options.out.empty() ? scenario->out : options.out;
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
    return print(out.dump() + "\n");
  }
  return print(str_cat(path, ": valid: ", uint64_t{plan.nodes.size()}, " nodes, ", uint64_t{plan.pods.size()}, " pods of traces, ",
                       uint64_t{plan.objects.size()}, " other objects\n"));
}

}  // namespace orrery::cli
