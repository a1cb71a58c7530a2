#include <cstdint>
#include <string_view>

#include "engine/api/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(orrery::api::parse_yaml(text, "fuzz").is_ok());
  static_cast<void>(orrery::api::decode_manifests(text, "fuzz").is_ok());
  return 0;
}
