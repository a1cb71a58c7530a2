#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#ifdef ORRERY_REALMODE
#include "realmode/cli/commands.h"
#endif
#include "sim/cli/commands.h"
#include "sim/world/scenario.h"

namespace {

constexpr const char* kAbout =
    "Kubernetes' scheduler, controllers and kubelet logic under a simulated clock: replays cluster\n"
    "traces and manifests and reports what the cluster would have done.";

void add_run(CLI::App& app, orrery::cli::RunOptions& o) {
  CLI::App* run = app.add_subcommand("run", "Run a scenario and report");
  run->add_option("scenario", o.scenario, "scenario file (YAML)")->required();
  run->add_option("--seed,--seeds", o.seeds, "seed N, or seeds A..B (one report each)");
  run->add_option("--set", o.set, "NAME=VALUE of a parameter, or path.of.field=VALUE; repeatable");
  run->add_option("--out", o.out, "folder for summary.json, timeseries.csv, pods.csv and report.html");
  run->add_option("-o", o.format, "what is printed")->check(CLI::IsMember({"table", "json"}));
  run->add_flag("--no-progress", o.no_progress, "no progress bar");
  run->footer("Examples:\n  orrery run traces/scenarios/fgd.yaml --out out/fgd\n"
              "  orrery run traces/scenarios/fgd.yaml --set policy=BestFit --seed 7 -o json\n"
              "  orrery run traces/scenarios/scale.yaml --set nodes=1000 --set pods=10000");
}

void add_sweep(CLI::App& app, orrery::cli::SweepOptions& o) {
  CLI::App* sweep = app.add_subcommand("sweep", "Run a grid of parameters and seeds; one row each");
  sweep->add_option("scenario", o.scenario, "scenario file (YAML)")->required();
  sweep->add_option("--grid", o.grid, "key=a,b,c; repeatable: all combinations");
  sweep->add_option("--set", o.set, "as for run");
  sweep->add_option("--seed,--seeds", o.seeds, "N or A..B");
  sweep->add_option("-j,--jobs", o.jobs, "worlds in parallel")->check(CLI::Range(1, 1024));
  sweep->add_option("--out", o.out, "results file; a killed sweep goes on from FILE.journal");
  sweep->add_flag("--no-progress", o.no_progress, "no progress bar");
  sweep->footer("Example:\n  orrery sweep traces/scenarios/fgd.yaml --grid policy=FGD,BestFit --seeds 1..10 -j 2");
}

#ifdef ORRERY_REALMODE
void add_serve(CLI::App& app, orrery::cli::ServeOptions& o) {
  CLI::App* serve = app.add_subcommand("serve", "Serve the Kubernetes API of a simulated cluster");
  serve->add_option("scenario", o.scenario, "scenario file (YAML)")->required();
  serve->add_option("--set", o.set, "as for run");
  serve->add_option("--seed", o.seed, "seed")->capture_default_str();
  serve->add_option("--speed", o.speed, "virtual seconds for each real one; max, or paused")->capture_default_str();
  serve->add_option("--listen", o.listen, "loopback ADDRESS:PORT; port 0 picks one")->capture_default_str();
  serve->footer("Prints one line of JSON with the URL. The clock: `orrery clock --help`, or GET URL/orrery/clock and POST\n"
                "there {\"speed\":\"60\"}, {\"paused\":true}, {\"step\":\"30s\"} or {\"seek\":\"2h\"} (since the start).\n"
                "Example:\n  orrery serve traces/scenarios/rollout.yaml --speed 60\n"
                "  kubectl --server http://127.0.0.1:PORT get pods -w");
}

void add_clock_action(CLI::App* clock, orrery::cli::ClockOptions& o, const std::string& name, const char* what,
                      const char* value) {
  CLI::App* action = clock->add_subcommand(name, what);
  if (value) action->add_option(value, o.value)->required();
  action->callback([&o, name] { o.action = name; });
  action->fallthrough();
}

void add_clock(CLI::App& app, orrery::cli::ClockOptions& o) {
  CLI::App* clock = app.add_subcommand("clock", "Read and move the clock of a served simulated cluster");
  clock->add_option("--server", o.server, "URL that `orrery serve` has printed")->required();
  clock->add_option("-o", o.format, "what is printed")->check(CLI::IsMember({"table", "json"}));
  clock->require_subcommand(0, 1);
  add_clock_action(clock, o, "pause", "Stop it", nullptr);
  add_clock_action(clock, o, "resume", "Let it go on with the speed it had", nullptr);
  add_clock_action(clock, o, "step", "Move it by a duration, as fast as possible", "DURATION");
  add_clock_action(clock, o, "seek", "Move it to a time since the start, as fast as possible", "DURATION");
  add_clock_action(clock, o, "speed", "Virtual seconds for each real one; max, or paused", "SPEED");
  clock->footer("Prints where the clock stands then.\n"
                "Examples:\n  orrery clock --server http://127.0.0.1:PORT\n"
                "  orrery clock pause --server http://127.0.0.1:PORT\n"
                "  orrery clock step 10s --server http://127.0.0.1:PORT -o json\n"
                "  orrery clock speed 60 --server http://127.0.0.1:PORT\n"
                "  orrery clock seek 2h --server http://127.0.0.1:PORT");
}
#endif

int report(const orrery::Status& status) {
  if (status.is_ok()) return 0;
  std::fprintf(stderr, "orrery: %s\n", status.message().c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kAbout, "orrery");
  app.require_subcommand(1);
  app.footer("Examples:\n  orrery run traces/scenarios/fgd.yaml --out out/fgd\n  orrery validate --explain\n  orrery sweep --help");
  orrery::cli::RunOptions run;
  orrery::cli::SweepOptions sweep;
  add_run(app, run);
  add_sweep(app, sweep);
#ifdef ORRERY_REALMODE
  orrery::cli::ServeOptions serve;
  add_serve(app, serve);
  orrery::cli::ClockOptions clock;
  add_clock(app, clock);
#endif
  std::string scenario, file, format, output = "table";
  std::vector<std::string> set;
  bool explain = false;
  CLI::App* validate = app.add_subcommand("validate", "Check a scenario without running it");
  validate->add_option("scenario", scenario, "scenario file (YAML)");
  validate->add_option("--set", set, "as for run");
  validate->add_option("-o", output, "what is printed")->check(CLI::IsMember({"table", "json"}));
  validate->add_flag("--explain", explain, "print every field that a scenario may have");
  validate->footer("Examples:\n  orrery validate traces/scenarios/rollout.yaml\n  orrery validate --explain");
  CLI::App* trace = app.add_subcommand("trace", "Work with trace files");
  trace->require_subcommand(1);
  trace->footer("Example:\n  orrery trace inspect traces/samples/openb/openb_pod_list_default.csv.gz -o json");
  CLI::App* inspect = trace->add_subcommand("inspect", "Say what a trace file holds");
  inspect->add_option("file", file, "trace file")->required();
  inspect->add_option("--format", format, "its format; guessed if not given");
  inspect->add_option("-o", output, "what is printed")->check(CLI::IsMember({"table", "json"}));
  inspect->footer("Example:\n  orrery trace inspect traces/samples/openb/openb_pod_list_default.csv.gz");
  CLI::App* version = app.add_subcommand("version", "Print the version");
  version->add_option("-o", output, "what is printed")->check(CLI::IsMember({"table", "json"}));
  version->footer("Example:\n  orrery version -o json");
#ifdef ORRERY_REALMODE
  orrery::realmode::add_commands(app);
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
#ifdef ORRERY_REALMODE
  if (app.got_subcommand("serve")) return report(orrery::cli::serve(serve));
  if (app.got_subcommand("clock")) return report(orrery::cli::clock(clock));
  if (const std::optional<int> code = orrery::realmode::run_command(app)) return *code;
#endif
  if (app.got_subcommand("run")) return report(orrery::cli::run(run));
  if (app.got_subcommand("sweep")) return report(orrery::cli::sweep(sweep));
  if (*inspect) return report(orrery::cli::inspect_trace(file, format, output));
  if (*version) {
    return report(orrery::cli::print(output == "json" ? "{\"version\":\"" ORRERY_VERSION "\",\"kubernetes\":\"v1.32\"}\n"
                                                      : "orrery " ORRERY_VERSION " (behaviour: Kubernetes v1.32)\n"));
  }
  if (explain) {
    return report(orrery::cli::print(orrery::sim::scenario_reference()));
  }
  if (scenario.empty()) return report(orrery::bad_request("validate: a scenario file is required"));
  return report(orrery::cli::validate(scenario, set, output));
}
