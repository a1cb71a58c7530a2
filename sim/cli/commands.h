#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace orrery::cli {

struct RunOptions {
  std::string scenario;
  std::vector<std::string> set;
  std::string seeds;  // "7" or "1..10"; "": as the scenario says
  std::string out;  // "": as the scenario says
  std::string format = "table";
  bool no_progress = false;
};
Status run(const RunOptions& options);

struct SweepOptions {
  std::string scenario;
  std::vector<std::string> set;
  std::vector<std::string> grid;  // "key=a,b,c"
  std::string seeds;
  int jobs = 1;
  std::string out = "results.csv";
  bool no_progress = false;
};
Status sweep(const SweepOptions& options);

struct ServeOptions {
  std::string scenario;
  std::vector<std::string> set;
  uint64_t seed = 1;
  std::string speed = "1";  // virtual seconds for each real one; max, paused
  std::string listen = "127.0.0.1:0";
};
/// Serves the Kubernetes API of a simulated cluster until the process is told to end.
Status serve(const ServeOptions& options);

struct ClockOptions {
  std::string server;  // URL that `orrery serve` has printed
  std::string action = "show";  // pause, resume, step, speed, seek
  std::string value;            // of the last three
  std::string format = "table";
};
/// Reads or moves the clock of a served world, and prints where it stands.
Status clock(const ClockOptions& options);

Status validate(const std::string& scenario, const std::vector<std::string>& set, const std::string& format);
Status inspect_trace(const std::string& file, const std::string& format, const std::string& output);

/// A line on standard error that is written over; nothing if that is no terminal.
class ProgressBar {
 public:
  explicit ProgressBar(bool enabled);
  ~ProgressBar();
  void show(double share, const std::string& text);

 private:
  bool enabled_;
  int shown_ = -1;
  std::string last_;
};

/// Writes to standard output; an error if it cannot.
Status print(std::string_view text);

/// Seconds on the wall since some moment.
double wall_seconds();
int64_t peak_memory_bytes();
/// From now on, whole pages that become free: bursts of requests take turns in using them.
void give_freed_memory_back();
/// Keeps an object, never destroyed, until the process ends (where leak checkers can see it).
void leave_to_process(std::shared_ptr<const void> object);

}  // namespace orrery::cli
