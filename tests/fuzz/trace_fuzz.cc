// Any bytes as a trace of every format: the first byte picks it, the rest is the file (and each of
// its partner files).
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "engine/base/check.h"
#include "traces/trace.h"

namespace {

void write_file(const std::string& path, const uint8_t* data, size_t size) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr) << path;
  std::fwrite(data, 1, size, file);
  std::fclose(file);
}

const std::string& folder() {
  static const std::string kFolder = [] {
    const std::string path = (std::filesystem::temp_directory_path() / ("orrery-fuzz-" + std::to_string(getpid()))).string();
    std::filesystem::create_directories(path);
    write_file(path + "/flav_map.txt", reinterpret_cast<const uint8_t*>("1,2 a\n2,4 b\n"), 12);
    write_file(path + "/v1.interval_map.txt", reinterpret_cast<const uint8_t*>("0 0\n300 1\n"), 10);
    return path;
  }();
  return kFolder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  if (size == 0) return 0;
  const auto formats = traces::formats();
  const traces::Format& format = formats[data[0] % formats.size()];
  const std::string path = folder() + "/v1.test.txt", partner = folder() + "/v1.test.c100.txt";
  write_file(path, data + 1, size - 1);
  write_file(partner, data + 1, size - 1);
  const auto events = traces::read_workload(format, path);
  CHECK(events.is_ok() || !events.status().message().empty());
  if (events.is_ok())
    for (const auto& e : *events) CHECK(e.cpu_milli >= 0 && e.memory_bytes >= 0 && e.gpu_count >= 0 && e.arrival.ns >= 0) << e.name;
  if (format.nodes) static_cast<void>(format.nodes(path).is_ok());
  return 0;
}
