// Many runs of one scenario: a grid of parameters times seeds, several worlds at a time. Finished
// rows stand in a journal beside the output, so that a sweep that was killed goes on where it was.
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/base/hash.h"
#include "sim/cli/commands.h"
#include "sim/report/report.h"
#include "sim/world/seeds.h"
#include "sim/world/world.h"

namespace orrery::cli {
namespace {

namespace fs = std::filesystem;

struct Axis {
  std::string key;
  std::vector<std::string> values;
};

/// One cell of the grid with one seed.
struct Job {
  std::vector<sim::Override> overrides;
  uint64_t seed;
};

Result<std::vector<Axis>> parse_grid(const std::vector<std::string>& grid) {
  std::vector<Axis> axes;
  for (const std::string& text : grid) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) return bad_request(str_cat("--grid ", text, ": must be key=a,b,c"));
    Axis axis{text.substr(0, equals), {}};
    std::string_view rest(text);
    rest.remove_prefix(equals + 1);
    for (;;) {
      const size_t comma = std::min(rest.find(','), rest.size());
      axis.values.push_back(std::string(rest.substr(0, comma)));
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

std::vector<Job> all_jobs(const std::vector<Axis>& axes, const std::vector<sim::Override>& set, const std::vector<uint64_t>& seeds) {
  std::vector<std::vector<sim::Override>> cells = {set};
  for (const Axis& axis : axes) {
    std::vector<std::vector<sim::Override>> next;
    for (const auto& cell : cells)
      for (const std::string& value : axis.values) {
        next.push_back(cell);
        next.back().push_back({axis.key, value});
      }
    cells = std::move(next);
  }
  std::vector<Job> jobs;
  for (const auto& cell : cells)
    for (uint64_t seed : seeds) jobs.push_back({cell, seed});
  return jobs;
}

// Files show by their name: "openb_pod_list_default.csv.gz" as "default".
std::string label(const std::string& value) {
  if (value.find('/') == std::string::npos && value.find('.') == std::string::npos) return value;
  char* end = nullptr;
  std::strtod(value.c_str(), &end);
  if (end && *end == '\0') return value;
  std::string name = fs::path(value).filename().string();
  name = name.substr(0, name.find('.'));
  constexpr std::string_view kOpenb = "openb_pod_list_";
  return name.starts_with(kOpenb) ? name.substr(kOpenb.size()) : name;
}

Result<std::string> run_job(const std::string& path, const Job& job) {
  ORRERY_ASSIGN(auto loaded, sim::load_scenario(path, job.overrides));
  const auto scenario = std::make_shared<const sim::Scenario>(std::move(loaded));
  ORRERY_ASSIGN(auto world, sim::World::create(scenario, job.seed));
  ORRERY_ASSIGN(const auto result, world->run());
  std::string row;
  for (const auto& [key, value] : scenario->parameters) row += label(value) + ",";
  row += std::to_string(job.seed);
  for (const std::string& name : scenario->results) row += "," + sim::measure(result, name);
  return row;
}

/// The rows that are done, kept in a file from run to run of the same sweep.
class Journal {
 public:
  Journal(std::string path, uint64_t identity) : path_(std::move(path)), head_("sweep " + std::to_string(identity)) {
    std::ifstream in(path_);
    std::string line;
    if (!std::getline(in, line) || line != head_) return;
    while (std::getline(in, line)) {
      const size_t tab = line.find('\t');
      // A line that was cut off by a kill has no end mark.
      if (tab == std::string::npos || !line.ends_with('.')) continue;
      rows_[std::stoull(line.substr(0, tab))] = line.substr(tab + 1, line.size() - tab - 2);
    }
  }
  Status open() {
    file_ = std::fopen(path_.c_str(), "wb");
    if (!file_) return bad_request(path_ + ": cannot be written");
    std::fprintf(file_, "%s\n", head_.c_str());
    for (const auto& [index, row] : rows_) std::fprintf(file_, "%zu\t%s.\n", index, row.c_str());
    std::fflush(file_);
    return Status::ok();
  }
  ~Journal() {
    if (file_) std::fclose(file_);
  }
  bool has(size_t index) const { return rows_.contains(index); }
  void add(size_t index, const std::string& row) {
    rows_[index] = row;
    std::fprintf(file_, "%zu\t%s.\n", index, row.c_str());
    failed_ = std::fflush(file_) != 0 || failed_;
  }
  /// A row could not be kept: a killed sweep would lose it.
  bool failed() const { return failed_; }
  const std::map<size_t, std::string>& rows() const { return rows_; }
  void discard() { std::remove(path_.c_str()); }

 private:
  std::string path_, head_;
  std::FILE* file_ = nullptr;
  bool failed_ = false;
  std::map<size_t, std::string> rows_;
};

uint64_t identity_of(const SweepOptions& options, const std::string& text) {
  uint64_t h = hash_bytes(text);
  for (const auto* list : {&options.set, &options.grid})
    for (const std::string& s : *list) h = hash_combine(h, hash_bytes(s));
  return hash_combine(h, hash_bytes(options.seeds));
}

Result<std::vector<uint64_t>> seeds_of(const SweepOptions& options, const std::vector<sim::Override>& set) {
  if (options.seeds.empty()) {
    ORRERY_ASSIGN(const auto scenario, sim::load_scenario(options.scenario, set));
    return scenario.seeds;
  }
  auto seeds = sim::parse_seeds(options.seeds);
  return seeds.is_ok() ? seeds : seeds.status().with_context("--seeds");
}

// A sweep leaves a new file in place of the old one, so what stands there must be a file.
Status check_output(const std::string& path) {
  std::error_code error;
  const fs::path folder = fs::absolute(path, error).parent_path();
  if (!fs::is_directory(folder, error)) return bad_request(str_cat(path, ": cannot be written: no folder ", folder.string()));
  if (fs::exists(path, error) && !fs::is_regular_file(path, error)) return bad_request(path + ": cannot be written: it is no file");
  return Status::ok();
}

Status write_results(const std::string& path, const std::string& header, const std::map<size_t, std::string>& rows) {
  const std::string partial = path + ".partial";
  std::FILE* file = std::fopen(partial.c_str(), "wb");
  if (!file) return bad_request(partial + ": cannot be written");
  bool ok = std::fprintf(file, "%s\n", header.c_str()) > 0;
  for (const auto& [index, row] : rows) ok = std::fprintf(file, "%s\n", row.c_str()) > 0 && ok;
  ok = std::fclose(file) == 0 && ok;
  if (ok && std::rename(partial.c_str(), path.c_str()) == 0) return Status::ok();
  std::remove(partial.c_str());
  return bad_request(path + ": cannot be written");
}

}  // namespace

Status sweep(const SweepOptions& options) {
  ORRERY_TRY(check_output(options.out));
  ORRERY_ASSIGN(const auto axes, parse_grid(options.grid));
  std::vector<sim::Override> set;
  for (const std::string& text : options.set) {
    ORRERY_ASSIGN(auto o, sim::parse_override(text));
    set.push_back(std::move(o));
  }
  ORRERY_ASSIGN(const auto seeds, seeds_of(options, set));
  const std::vector<Job> jobs = all_jobs(axes, set, seeds);
  // Every cell is checked before the first one runs.
  std::string header;
  for (size_t i = 0; i < jobs.size(); i += seeds.size()) {
    ORRERY_ASSIGN(const auto scenario, sim::load_scenario(options.scenario, jobs[i].overrides));
    if (scenario.results.empty()) return bad_request(options.scenario + ": results: is required for a sweep: the measures to write");
    if (!header.empty()) continue;
    for (const auto& [key, value] : scenario.parameters) header += key + ",";
    header += "seed";
    for (const std::string& name : scenario.results) header += "," + name;
  }
  ORRERY_ASSIGN(const std::string text, traces::read_file(options.scenario));
  Journal journal(options.out + ".journal", identity_of(options, text));
  ORRERY_TRY(journal.open());
  ProgressBar bar(!options.no_progress);
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Status failure;
  const auto work = [&] {
    for (size_t i = next++; i < jobs.size(); i = next++) {
      {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!failure.is_ok()) return;
        if (journal.has(i)) continue;
      }
      auto row = run_job(options.scenario, jobs[i]);
      const std::lock_guard<std::mutex> lock(mutex);
      if (!row.is_ok()) failure = row.status();
      else journal.add(i, *row);
      if (journal.failed() && failure.is_ok()) failure = bad_request(options.out + ".journal: cannot be written");
      bar.show(static_cast<double>(journal.rows().size()) / static_cast<double>(jobs.size()), str_cat(uint64_t{journal.rows().size()}, " of ", uint64_t{jobs.size()}, " runs"));
    }
  };
  std::vector<std::thread> threads;
  for (int j = 1; j < options.jobs; ++j) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  ORRERY_TRY(failure);
  ORRERY_TRY(write_results(options.out, header, journal.rows()));
  journal.discard();
  return print(str_cat(options.out, ": ", uint64_t{jobs.size()}, " runs\n"));
}

}  // namespace orrery::cli
