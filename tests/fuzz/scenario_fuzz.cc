// Any text as a scenario: it is valid or there is a message that names the file.
#include <cstdint>
#include <string>

#include "engine/base/check.h"
#include "sim/world/scenario.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Files that a scenario may name are other targets' business.
  if (text.find("path") != std::string::npos || text.find("File") != std::string::npos || text.find("manifests") != std::string::npos) return 0;
  const auto scenario = sim::parse_scenario(text, "fuzz.yaml", {});
  CHECK(scenario.is_ok() || scenario.status().message().find("fuzz.yaml") != std::string::npos) << scenario.status().message();
  return 0;
}
