#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "engine/base/str.h"
#include "sim/cli/commands.h"

// Of tcmalloc, where it is linked.
extern "C" int MallocExtension_SetNumericProperty(const char* property, size_t value) __attribute__((weak));

namespace orrery::cli {

ProgressBar::ProgressBar(bool enabled) : enabled_(enabled && isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (enabled_ && shown_ >= 0) std::fprintf(stderr, "\r\033[K");
}

void ProgressBar::show(double share, const std::string& text) {
  constexpr int kWidth = 40;
  if (!enabled_) return;
  const int filled = static_cast<int>(share * kWidth);
  if (filled == shown_ && text == last_) return;
  shown_ = filled;
  last_ = text;
  std::string bar(static_cast<size_t>(filled), '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "\r\033[K[%s] %3.0f %%  %s", bar.c_str(), share * 100, text.c_str());
  std::fflush(stderr);
}

Status print(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return Status::ok();
  return bad_request(std::string("standard output: cannot be written: ") + std::strerror(errno));
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

void give_freed_memory_back() {
  if (MallocExtension_SetNumericProperty)
    MallocExtension_SetNumericProperty("tcmalloc.aggressive_memory_decommit", 1);
}

void leave_to_process(std::shared_ptr<const void> object) {
  static auto* const kept = new std::vector<std::shared_ptr<const void>>();
  kept->push_back(std::move(object));
}

}  // namespace orrery::cli
