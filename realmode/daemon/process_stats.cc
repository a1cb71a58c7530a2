#include "realmode/daemon/process_stats.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace orrery::realmode {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Field 22 of /proc/self/stat: ticks from the start of the system to that of the process.
double started_after_boot() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i < 22; ++i) fields >> field;
  double ticks = 0;
  fields >> ticks;
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double now_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

int64_t open_files() {
  std::error_code error;
  int64_t count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error))
    ++count;
  return count;
}

}  // namespace

ProcessUsage LinuxProcessStats::usage() const {
  ProcessUsage out;
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  out.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  out.start_time = now_of(CLOCK_REALTIME) - now_of(CLOCK_BOOTTIME) + started_after_boot();
  std::ifstream statm("/proc/self/statm");
  statm >> out.virtual_bytes >> out.resident_bytes;
  out.virtual_bytes *= ::sysconf(_SC_PAGESIZE);
  out.resident_bytes *= ::sysconf(_SC_PAGESIZE);
  out.open_files = open_files();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  out.open_files_max = static_cast<int64_t>(limit.rlim_cur);
  return out;
}

}  // namespace orrery::realmode
