#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "engine/base/str.h"
#include "sim/cli/commands.h"

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

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

void leave_to_process(std::shared_ptr<const void> object) {
  static auto* const kept = new std::vector<std::shared_ptr<const void>>();
  kept->push_back(std::move(object));
}

Result<std::vector<uint64_t>> parse_seeds(const std::string& text) {
  const auto number = [](std::string_view t, uint64_t* out) {
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), *out);
    return !t.empty() && error == std::errc() && end == t.data() + t.size();
  };
  constexpr uint64_t kSeedsMax = 1'000'000;
  uint64_t from = 0, to = 0;
  const size_t dots = text.find("..");
  const bool ok = dots == std::string::npos ? number(text, &from) && number(text, &to)
                                            : number(text.substr(0, dots), &from) && number(text.substr(dots + 2), &to);
  if (!ok || to < from || to - from >= kSeedsMax) return bad_request(str_cat("--seeds: found \"", text, "\", must be N or A..B with A <= B"));
  std::vector<uint64_t> seeds;
  for (uint64_t s = from; s <= to; ++s) seeds.push_back(s);
  return seeds;
}

}  // namespace orrery::cli
