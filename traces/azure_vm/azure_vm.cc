// Azure VM trace 2017 in the processed form of flavours per 5-minute bin with a partner file of
// lifetimes: PATH is the flavour file (v1.test.txt.gz); flav_map.txt, v1.interval_map.txt and the
// lifetimes (v1.test.c2591400.txt.gz) stand beside it.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "engine/base/str.h"
#include "traces/azure_vm/azure_vm.h"

namespace orrery::traces {
namespace {

struct Flavour {
  int64_t cpu_milli;
  int64_t memory_bytes;
};

/// A text by lines, and a line by pieces.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

template <typename T>
bool parse(std::string_view text, T* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

Status broken(const std::string& path, size_t line, std::string_view what) {
  return bad_request(str_cat(path, ":", uint64_t{line}, ": ", what));
}

Result<std::map<std::string, Flavour>> read_flavours(const std::string& path) {
  ORRERY_ASSIGN(const std::string text, read_file(path));
  std::map<std::string, Flavour> out;
  size_t line = 0;
  for (std::string_view row : split(text, '\n')) {
    ++line;
    const size_t comma = row.find(','), space = row.find(' ');
    double cpu = 0, gib = 0;
    if (comma == std::string_view::npos || space == std::string_view::npos || !parse(row.substr(0, comma), &cpu) ||
        !parse(row.substr(comma + 1, space - comma - 1), &gib))
      return broken(path, line, "must be \"vCPU,GB letter\"");
    out[std::string(row.substr(space + 1))] = {static_cast<int64_t>(cpu * 1000), static_cast<int64_t>(gib * 1073741824.0)};
  }
  return out;
}

/// The shortest and longest lifetime of each bin, in seconds.
Result<std::vector<std::pair<int64_t, int64_t>>> read_bins(const std::string& path) {
  ORRERY_ASSIGN(const std::string text, read_file(path));
  std::vector<std::pair<int64_t, int64_t>> out;
  size_t line = 0;
  for (std::string_view row : split(text, '\n')) {
    ++line;
    const size_t space = row.find(' ');
    int64_t seconds = 0, bin = 0;
    if (space == std::string_view::npos || !parse(row.substr(0, space), &seconds) || !parse(row.substr(space + 1), &bin) || bin < 0 || bin > 1000)
      return broken(path, line, "must be \"seconds bin\"");
    if (static_cast<size_t>(bin) >= out.size()) out.resize(static_cast<size_t>(bin) + 1, {seconds, seconds});
    out[static_cast<size_t>(bin)].second = seconds;
  }
  return out;
}

std::string partner_of(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path p(path);
  const std::string name = p.filename().string();
  const std::string stem = name.substr(0, name.find(".txt"));
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(p.parent_path().empty() ? "." : p.parent_path(), ignored)) {
    const std::string other = entry.path().filename().string();
    if (other.starts_with(stem + ".c")) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found.empty() ? "" : found[0];
}

class AzureVmReader final : public WorkloadReader {
 public:
  Status load(const std::string& path) {
    path_ = path;
    const std::string folder = std::filesystem::path(path).parent_path().string() + (std::filesystem::path(path).has_parent_path() ? "/" : "");
    ORRERY_ASSIGN(flavours_, read_flavours(folder + "flav_map.txt"));
    ORRERY_ASSIGN(arrivals_, read_file(path));
    arrival_lines_ = split(arrivals_, '\n');
    const std::string partner = partner_of(path);
    if (partner.empty()) return Status::ok();
    ORRERY_ASSIGN(bins_, read_bins(folder + "v1.interval_map.txt"));
    ORRERY_ASSIGN(lifetimes_, read_file(partner));
    lifetime_lines_ = split(lifetimes_, '\n');
    if (lifetime_lines_.size() < arrival_lines_.size()) return bad_request(partner + ": has fewer lines than " + path);
    return Status::ok();
  }

  Result<bool> next(WorkloadEvent* out) override {
    for (;;) {
      while (at_ >= letters_.size()) {
        if (line_ >= arrival_lines_.size()) return false;
        ORRERY_TRY(begin_line());
      }
      const size_t i = at_++;
      if (letters_[i] == "|") continue;
      const auto flavour = flavours_.find(std::string(letters_[i]));
      if (flavour == flavours_.end()) return broken(path_, line_, str_cat("found flavour \"", letters_[i], "\", must be one of flav_map.txt"));
      *out = WorkloadEvent();
      out->name = str_cat("vm-", ++count_);
      out->arrival = Duration::seconds(seconds_ - first_);
      out->cpu_milli = flavour->second.cpu_milli;
      out->memory_bytes = flavour->second.memory_bytes;
      if (i < durations_.size()) ORRERY_TRY(set_lifetime(durations_[i], out));
      return true;
    }
  }

 private:
  Status begin_line() {
    const std::string_view row = arrival_lines_[line_];
    const size_t space = row.find(' ');
    if (space == std::string_view::npos || !parse(row.substr(0, space), &seconds_)) return broken(path_, line_ + 1, "must begin with seconds");
    if (line_ == 0) first_ = seconds_;
    letters_ = split(row.substr(space + 1), ',');
    durations_.clear();
    if (!lifetime_lines_.empty()) {
      const std::string_view other = lifetime_lines_[line_];
      durations_ = split(other.substr(std::min(other.find(' ') + 1, other.size())), ',');
      if (durations_.size() != letters_.size()) return broken(path_, line_ + 1, "the lifetimes have another number of entries");
    }
    at_ = 0;
    ++line_;
    return Status::ok();
  }
  // U<bin>: ended, within the bin (its middle is taken); C<bin>: still running at the end. Times are
  // multiples of five minutes, so a lifetime of 0 means less than that.
  Status set_lifetime(std::string_view text, WorkloadEvent* out) {
    size_t bin = 0;
    if (text.size() < 2 || !parse(text.substr(1), &bin)) return broken(path_, line_, "a lifetime must be U or C and a bin");
    if (text[0] == 'C') return Status::ok();
    if (bin >= bins_.size()) return broken(path_, line_, str_cat("found lifetime bin ", uint64_t{bin}, ", there are ", uint64_t{bins_.size()}));
    constexpr int64_t kShort = 150;
    out->lifetime = Duration::seconds(std::max((bins_[bin].first + bins_[bin].second) / 2, kShort));
    return Status::ok();
  }

  std::string path_, arrivals_, lifetimes_;
  std::map<std::string, Flavour> flavours_;
  std::vector<std::pair<int64_t, int64_t>> bins_;
  std::vector<std::string_view> arrival_lines_, lifetime_lines_, letters_, durations_;
  size_t line_ = 0, at_ = 0;
  int64_t seconds_ = 0, first_ = 0;
  uint64_t count_ = 0;
};

Result<std::unique_ptr<WorkloadReader>> open(const std::string& path) {
  auto reader = std::make_unique<AzureVmReader>();
  ORRERY_TRY(reader->load(path));
  return std::unique_ptr<WorkloadReader>(std::move(reader));
}

}  // namespace

Format azure_vm_format() { return {"azure-vm-2017", "Azure VM trace 2017: flavours per 5-minute bin with lifetimes (text)", open, nullptr}; }

}  // namespace orrery::traces
